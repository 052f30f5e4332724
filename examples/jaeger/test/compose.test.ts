import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

// What can be told of compose.yaml and of what it mounts without docker: nothing refers to what is not there.

interface Service {
  image: string
  command?: string[]
  ports: string[]
  volumes?: string[]
  extra_hosts?: string[]
}

const folder = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(folder, path), 'utf8')
const yaml = (path: string) => parse(read(path), { strict: true, uniqueKeys: true })

const { services } = yaml('compose.yaml') as { services: Record<string, Service> }
const names = Object.keys(services)
const service = (name: string) => services[name] as Service

/** A volume `./here:/there:ro`. */
function mounts({ volumes = [] }: Service): { source: string; target: string; mode: string | undefined }[] {
  return volumes.map((volume) => {
    const [source, target, mode] = volume.split(':') as [string, string, string | undefined]
    return { source, target, mode }
  })
}

/** The ports of the host, and of the container. */
const ports = (name: string) => service(name).ports.map((port) => port.split(':') as [string, string])

/** The file of ours that a path in a container stands for. */
function inContainer(name: string, path: string): string {
  for (const { source, target } of mounts(service(name))) {
    if (path === target) return source
    if (path.startsWith(`${target}/`)) return posix.join(source, path.slice(target.length))
  }
  throw new Error(`${path} is not mounted in ${name}`)
}

test('each image has a version', () => {
  expect(names).toEqual(['redis', 'jaeger', 'prometheus', 'grafana'])
  for (const name of names) expect(service(name).image).toMatch(/^[a-z/]+:v?\d[\w.-]*$/)
})

test('what is mounted exists, and is not written to', () => {
  const all = names.flatMap((name) => mounts(service(name)))
  expect(all.length).toBeGreaterThanOrEqual(4)
  for (const { source, target, mode } of all) {
    expect(existsSync(join(folder, source)), source).toBe(true)
    expect(target).toMatch(/^\//)
    expect(mode).toBe('ro')
  }
})

test('no two services want one port', () => {
  const taken = names.flatMap((name) => ports(name).map(([host]) => host))
  expect(new Set(taken).size).toBe(taken.length)
})

test('Prometheus has its configuration and rules, and scrapes both instances where they listen', () => {
  const flag = service('prometheus').command?.find((part) => part.startsWith('--config.file='))
  const path = flag?.split('=')[1] as string
  const config = yaml(inContainer('prometheus', path))
  for (const rules of config.rule_files) {
    const file = inContainer('prometheus', posix.resolve(posix.dirname(path), rules))
    expect(yaml(file).groups.length, file).toBeGreaterThan(0)
  }
  const targets: string[] = config.scrape_configs.flatMap(
    (scrape: { static_configs: { targets: string[] }[] }) =>
      scrape.static_configs.flatMap((group) => group.targets),
  )
  const [, listening] = /PORTS \?\? '([\d,]+)'/.exec(read('start.mjs')) as RegExpExecArray
  expect(targets).toEqual(listening?.split(',').map((port) => `host.docker.internal:${port}`))
  // Docker on Linux knows that name only when told.
  expect(service('prometheus').extra_hosts).toEqual(['host.docker.internal:host-gateway'])
})

test('Grafana finds its data sources among the services, and the traces of exemplars among its data sources', () => {
  const { datasources } = yaml(
    inContainer('grafana', '/etc/grafana/provisioning/datasources/datasources.yml'),
  )
  const uids = datasources.map(({ uid }: { uid: string }) => uid)
  expect(uids).toEqual(['prometheus', 'jaeger'])
  for (const { url, jsonData } of datasources) {
    const { hostname, port } = new URL(url)
    expect(names).toContain(hostname)
    expect(ports(hostname).map(([, container]) => container)).toContain(port)
    for (const { datasourceUid } of jsonData?.exemplarTraceIdDestinations ?? [])
      expect(uids).toContain(datasourceUid)
  }
})

test('Grafana finds the dashboard that the README leads to', () => {
  const { providers } = yaml(inContainer('grafana', '/etc/grafana/provisioning/dashboards/dashboards.yml'))
  const dashboards = mounts(service('grafana')).filter(({ source }) => source.endsWith('.json'))
  const folders = providers.map(({ options }: { options: { path: string } }) => options.path)
  expect(dashboards.map(({ target }) => dirname(target))).toEqual(folders)
  const [dashboard] = dashboards.map(({ source }) => JSON.parse(read(source)))
  expect(read('README.md')).toContain(`http://localhost:3000/d/${dashboard.uid}>`)
})

test('the ports of the README and of the SDK are published', () => {
  const published = names.flatMap((name) => ports(name).map(([host]) => host))
  for (const text of [read('README.md'), read('tracing.mjs'), read('compose.yaml')]) {
    const wanted = [...text.matchAll(/(?:http|redis):\/\/localhost:(\d+)/g)].map(([, port]) => port)
    expect(wanted.length).toBeGreaterThan(0)
    expect(published).toEqual(expect.arrayContaining(wanted))
  }
})
