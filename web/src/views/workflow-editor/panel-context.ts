/** What the panels know of the world around a step. */
export interface PanelContext {
  /** of the workflow */
  readonly groupId: number | null
  /** may write what runs on executors as a script */
  readonly mayScript: boolean
  /** that executors of the group have registered */
  readonly functions: readonly string[]
}
