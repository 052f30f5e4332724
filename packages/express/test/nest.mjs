import { freePort, get, makeScheduler, say, started, work } from '../../http/test/kit/stage.mjs'

/** Nest on Express, ended by a signal. */
export async function nest(framework) {
  await import('reflect-metadata')
  const [{ Module }, { NestFactory }] = await Promise.all([import('@nestjs/common'), import('@nestjs/core')])
  class AppModule {}
  Module({})(AppModule)
  const scheduler = makeScheduler(framework)
  const app = await NestFactory.create(AppModule, { logger: false })
  app.use(scheduler.middleware())
  app.enableShutdownHooks()
  const port = await freePort()
  await app.listen(port)
  await started(scheduler)
  await get(port)
  await work(scheduler)
  app.getHttpServer().on('close', () => say('closed'))
  process.kill(process.pid, 'SIGTERM')
}
