import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { openApiDocument } from './openapi.ts'
import { VERSION } from '../version.ts'

/** The API reference to browse, at `/docs`: everything from this server, nothing from elsewhere. */
export async function registerDocs(app: FastifyInstance): Promise<void> {
  await app.register(swagger, { mode: 'static', specification: { document: openApiDocument(VERSION) as never } })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    uiConfig: { deepLinking: true, docExpansion: 'none', displayRequestDuration: true, persistAuthorization: false, validatorUrl: null },
  })
}
