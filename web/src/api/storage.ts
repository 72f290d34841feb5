import type { StorageAnswer } from '@tickwheel/contract'
import { call } from './client.ts'

export type { StorageAnswer, StorageTable } from '@tickwheel/contract'

export const fetchStorage = () => call<StorageAnswer>({ url: '/storage' })
