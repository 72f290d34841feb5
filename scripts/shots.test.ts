import { expect, it } from 'vitest'
import { consoleRoutes } from '../tests/kit/console-routes.ts'
import { routesWithoutShot, SHOTS } from './shots.ts'

it('shows every page of the console', () => {
  expect(routesWithoutShot(consoleRoutes())).toEqual([])
})

it('shows no page that is gone, and names each picture once', () => {
  const routes = consoleRoutes()
  expect(SHOTS.filter(({ route }) => !routes.includes(route))).toEqual([])
  expect(new Set(SHOTS.map(({ name }) => name)).size).toBe(SHOTS.length)
})
