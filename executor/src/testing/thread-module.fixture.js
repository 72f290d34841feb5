import { isMainThread } from 'node:worker_threads'

export function count(run) {
  const total = Number(run.params)
  for (let each = 1; each <= total; each += 1) run.log.info(String(each))
  return { counted: total, isMain: isMainThread }
}

export function double(run) {
  return { doubled: run.params.n * 2, key: run.idempotencyKey }
}

export function spin() {
  for (;;);
}
