/** `page` and `pageSize` of a list, with their defaults. */
export function pageOf(query: { readonly page?: number | undefined; readonly pageSize?: number | undefined }): {
  page: number
  pageSize: number
} {
  return { page: query.page ?? 1, pageSize: query.pageSize ?? 20 }
}
