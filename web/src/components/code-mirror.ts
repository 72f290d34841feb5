/** CodeMirror 6 with our colours and languages. Its own chunk: only `code-editor.vue` imports it, when an editor is shown. */
import { javascript } from '@codemirror/lang-javascript'
import { python } from '@codemirror/lang-python'
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from '@codemirror/language'
import { shell } from '@codemirror/legacy-modes/mode/shell'
import { yaml } from '@codemirror/legacy-modes/mode/yaml'
import { Compartment, EditorState, type Extension } from '@codemirror/state'
import { keymap } from '@codemirror/view'
import { indentWithTab } from '@codemirror/commands'
import { tags } from '@lezer/highlight'
import { basicSetup, EditorView } from 'codemirror'

export type CodeLanguage = 'shell' | 'javascript' | 'python' | 'json' | 'yaml' | 'text'

export interface CodeHandle {
  setText(text: string): void
  setLanguage(language: CodeLanguage): void
  /** Brings a line, from 1, into view and puts the cursor there. */
  goTo(line: number): void
  close(): void
}

export interface CodeOptions {
  readonly text: string
  readonly language: CodeLanguage
  /** what a screen reader calls it */
  readonly label: string
  readonly onChange: (text: string) => void
}

export const codeTheme = EditorView.theme({
  '&': { fontSize: '12.5px', color: 'var(--text)', backgroundColor: 'var(--bg)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '20px' },
  '.cm-content': { padding: '8px 0', caretColor: 'var(--text)' },
  '.cm-cursor, .cm-dropCursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--bg-soft)', color: 'var(--text-3)', borderRight: '1px solid var(--border)' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--primary) 5%, transparent)' },
  '.cm-activeLineGutter': { backgroundColor: 'var(--bg-hover)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'color-mix(in srgb, var(--primary) 24%, transparent)' },
  '.cm-tooltip, .cm-panels': { backgroundColor: 'var(--bg-overlay)', color: 'var(--text)', borderColor: 'var(--border)' },
  '.cm-matchingBracket': { backgroundColor: 'color-mix(in srgb, var(--primary) 18%, transparent)', outline: 'none' },
})

export const codeColours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier, tags.controlKeyword], color: 'var(--code-keyword)' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--code-number)' },
  { tag: [tags.comment], color: 'var(--text-3)' },
  { tag: [tags.function(tags.variableName), tags.definition(tags.variableName), tags.standard(tags.variableName)], color: 'var(--code-name)' },
  { tag: [tags.propertyName, tags.attributeName], color: 'var(--code-name)' },
])

/** Opens an editor in `host`. */
export function openCodeMirror(host: HTMLElement, options: CodeOptions): CodeHandle {
  const language = new Compartment()
  const view = new EditorView({
    parent: host,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        basicSetup, keymap.of([indentWithTab]), codeTheme, syntaxHighlighting(codeColours), language.of(extensionOf(options.language)),
        EditorView.lineWrapping, EditorView.contentAttributes.of({ 'aria-label': options.label }),
        EditorView.updateListener.of((update) => update.docChanged && options.onChange(update.state.doc.toString())),
      ],
    }),
  })
  return {
    setText(text) {
      if (text !== view.state.doc.toString()) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } })
    },
    setLanguage: (next) => view.dispatch({ effects: language.reconfigure(extensionOf(next)) }),
    goTo(line) {
      const { from, to } = view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines)))
      view.dispatch({ selection: { anchor: from, head: to }, effects: EditorView.scrollIntoView(from, { y: 'center' }) })
      view.focus()
    },
    close: () => view.destroy(),
  }
}

function extensionOf(language: CodeLanguage): Extension {
  switch (language) {
    case 'shell':
      return StreamLanguage.define(shell)
    case 'javascript':
    case 'json':
      return javascript()
    case 'python':
      return python()
    case 'yaml':
      return StreamLanguage.define(yaml)
    case 'text':
      return []
  }
}
