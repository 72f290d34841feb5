import 'element-plus/es/components/table-column/style/css'
import { ElTableColumn } from 'element-plus'

interface ColumnProps {
  readonly label?: string
  readonly width?: string | number
  readonly minWidth?: string | number
  readonly align?: 'left' | 'center' | 'right'
  readonly type?: 'selection' | 'expand'
  readonly fixed?: 'left' | 'right'
  readonly className?: string
  readonly showOverflowTooltip?: boolean
  readonly reserveSelection?: boolean
}

interface TypedColumn<Row> {
  new (): { $props: ColumnProps; $slots: { default?(scope: { row: Row; $index: number }): unknown; header?(): unknown } }
}

/** Element Plus's column whose slot knows the type of its row: `const TaskColumn = columnOf<TaskListItem>()`. */
export function columnOf<Row>(): TypedColumn<Row> {
  const column: unknown = ElTableColumn
  return column as TypedColumn<Row>
}
