import type { Parameter, Route } from './routes.ts'
import { SCHEMAS } from './schemas.ts'

const REFUSALS: Readonly<Record<number, string>> = {
  400: 'A parameter cannot be read.',
  401: 'Nobody that is known asks.',
  403: 'The role does not allow it, or the request comes from another origin.',
  404: 'There is no such thing.',
  405: 'The method is not answered.',
  409: 'It cannot be done as things stand.',
  413: 'The body is too large.',
  415: 'The body is not JSON.',
  421: 'The name of the server is not answered.',
  422: 'The input cannot be used.',
  429: 'Too many requests for runs wait.',
  503: 'The store or the fleet cannot be asked now.',
}

/** What can meet any request, and what only one that changes something can. */
const ALWAYS = [400, 401, 403, 404, 405, 421, 503]
const WRITES = [409, 413, 415, 422, 429]

/** The document of OpenAPI 3.1 that describes the routes. */
export function documentOf(routes: readonly Route[], title: string): unknown {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const path = paths[route.path] ?? {}
    paths[route.path] = path
    path[route.method.toLowerCase()] = operationOf(route)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: `${title}: scheduled jobs`,
      version: '1.0.0',
      description:
        'See and run scheduled jobs. What changes something needs the header `x-escapement-request`, or a request from the same origin. A name in a path is one segment: `~1` stands for a slash, `~0` for a tilde, `~2` for a dot (of the names `.` and `..`).',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '.' }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas: SCHEMAS,
    },
  }
}

function operationOf(route: Route): unknown {
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
  const inPath = names.map((name) => ({
    name,
    in: 'path',
    required: true,
    description: name === 'id' ? 'The id of the run.' : 'The name of the job.',
    schema: { type: 'string' },
  }))
  const words = `${route.method.toLowerCase()} ${route.path}`
    .replace(/[{}]/g, '')
    .split(/[^a-z]+/)
    .filter(Boolean)
  return {
    operationId: words
      .map((word, i) => (i === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1)))
      .join(''),
    summary: route.summary,
    description: route.role === 'operator' ? 'Needs the role operator.' : 'Needs the role viewer.',
    tags: [route.path.split('/')[1] ?? 'other'],
    parameters: [...inPath, ...(route.parameters ?? []).map(parameterOf)],
    ...(route.body && {
      requestBody: { required: false, content: { 'application/json': { schema: ref(route.body) } } },
    }),
    responses: {
      [route.status]: successOf(route),
      ...(route.method === 'GET' && route.answer && { 304: { description: 'It has not changed.' } }),
      ...Object.fromEntries(
        [...ALWAYS, ...(route.method === 'GET' ? [422] : WRITES)].map((status) => [
          status,
          refusalOf(status),
        ]),
      ),
    },
  }
}

function successOf({ answer, type, summary }: Route): unknown {
  const description = summary
  if (answer) return { description, content: { 'application/json': { schema: ref(answer) } } }
  return type === undefined
    ? { description }
    : { description, content: { [type]: { schema: { type: 'string' } } } }
}

function refusalOf(status: number): unknown {
  return {
    description: REFUSALS[status],
    content: { 'application/problem+json': { schema: ref('Problem') } },
  }
}

function parameterOf({
  name,
  description,
  schema,
  required = false,
  in: where = 'query',
}: Parameter): unknown {
  return { name, in: where, required, description, schema }
}

function ref(name: string): { $ref: string } {
  return { $ref: `#/components/schemas/${name}` }
}
