import 'element-plus/es/components/table-column/style/css'
import { ElTableColumn } from 'element-plus'
import { h, type Component, type FunctionalComponent } from 'vue'
import { t } from '../locales/text.ts'

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

const plain: Component = ElTableColumn

/** A column without a label has buttons: to who cannot see them, its head says so. */
const NamedColumn: FunctionalComponent<ColumnProps> = (props, { slots }) => {
  const isNamed = (props.label ?? '') !== '' || props.type !== undefined || slots['header'] !== undefined
  return h(plain, { ...props }, isNamed ? slots : { ...slots, header: () => h('span', { class: 'visually-hidden' }, t('list.actions')) })
}

/** Element Plus's column whose slot knows the type of its row: `const TaskColumn = columnOf<TaskListItem>()`. */
export function columnOf<Row>(): TypedColumn<Row> {
  const column: unknown = NamedColumn
  return column as TypedColumn<Row>
}
