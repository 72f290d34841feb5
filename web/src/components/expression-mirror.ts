/** A small CodeMirror for one expression, which offers names while they are typed. Its own chunk: only `expression-field.vue` imports it. */
import { acceptCompletion, autocompletion, closeBrackets, completionStatus, startCompletion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { EditorState } from '@codemirror/state'
import { keymap, placeholder, tooltips } from '@codemirror/view'
import { EditorView } from 'codemirror'
import { codeTheme } from './code-mirror.ts'

export interface ExpressionOptions {
  readonly text: string
  /** what a screen reader calls it */
  readonly label: string
  readonly hint: string
  /** names are offered behind a leading `=` only */
  readonly isTemplate: boolean
  readonly names: () => readonly string[]
  readonly onChange: (text: string) => void
}
export interface ExpressionHandle {
  setText(text: string): void
  close(): void
}

const WORD = /[\w.]+/

export function openExpression(host: HTMLElement, options: ExpressionOptions): ExpressionHandle {
  const view = new EditorView({
    parent: host,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        codeTheme, history(), closeBrackets(), EditorView.lineWrapping, placeholder(options.hint), tooltips({ parent: document.body, position: 'fixed' }),
        autocompletion({ override: [(context) => offer(context, options)], icons: false, maxRenderedOptions: 100 }),
        // Enter takes what is offered; an expression is one line unless it came with more
        keymap.of([{ key: 'Enter', run: (it) => (completionStatus(it.state) === 'active' ? acceptCompletion(it) : true) }, { key: 'Ctrl-Space', run: startCompletion }, ...historyKeymap, ...defaultKeymap]),
        EditorView.contentAttributes.of({ 'aria-label': options.label }),
        EditorView.updateListener.of((update) => update.docChanged && options.onChange(update.state.doc.toString())),
      ],
    }),
  })
  return {
    setText(text) {
      if (text !== view.state.doc.toString()) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } })
    },
    close: () => view.destroy(),
  }
}

function offer(context: CompletionContext, { isTemplate, names }: ExpressionOptions): CompletionResult | null {
  if (isTemplate && !context.state.doc.toString().startsWith('=')) return null
  const word = context.matchBefore(WORD)
  if (word === null && !context.explicit) return null
  return { from: word?.from ?? context.pos, options: names().map((label, place) => ({ label, boost: Math.max(-99, 99 - place) })), validFor: /^[\w.]*$/ }
}
