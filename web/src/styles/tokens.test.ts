import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { STEP_STATES } from '@tickwheel/core'
import { WORKFLOW_RUN_STATES } from '@tickwheel/contract'
import { describe, expect, it } from 'vitest'
import { RUN_STATES } from '../components/run-state.ts'

/*
 * The design language is in tokens.css: no other file has a colour of its own, sizes of type, spaces and radii are on its scales, and what is written can be read on
 * what it stands on, in both themes (WCAG 1.4.3: 4.5 to 1).
 */
const root = join(import.meta.dirname, '..')
const tokens = readFileSync(join(root, 'styles', 'tokens.css'), 'utf8')

/** Literals that are no part of the design, by file, and why. */
const EXCEPTIONS: readonly { readonly file: string; readonly text: RegExp; readonly why: string }[] = [
  { file: 'components/log/ansi.ts', text: /\brgb\(/g, why: 'colours that a program printed into its log by their numbers' },
  { file: 'styles/element.css', text: /--el-color-primary-rgb: [\d, ]+;/g, why: 'Element Plus wants the primary colour as three numbers, too' },
]

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(vue|css|ts)$/.test(file) && !/\.(test|fixture|d)\.ts$/.test(file) && !file.startsWith('locales') && file !== join('styles', 'tokens.css'))
}

/** A file without what is excepted and without comments. */
function styled(file: string): string {
  const text = readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '')
  return EXCEPTIONS.filter((one) => one.file === file.replaceAll('\\', '/')).reduce((left, one) => left.replaceAll(one.text, ''), text)
}

/** Every value of a property in a file: `font-size: 13px` gives `13px`. */
function valuesOf(text: string, property: string): string[] {
  return [...text.matchAll(new RegExp(`(?<![\\w-])${property}:\\s*([^;}]+)`, 'g'))].map(([, value = '']) => value.trim())
}

/**
 * Every value of the properties whose name has `name` in it, in style sheets, in attributes of templates and in objects of scripts: `gap: 4px 8px` gives `4px 8px`, so
 * does `rowGap: '4px 8px'`, and `[6, 2]`, which a library takes for pixels, gives `6px 2px`. Custom properties count, too: `--el-drawer-padding-primary`.
 */
function valuesLike(text: string, name: RegExp): string[] {
  const quoted = String.raw`'([^']*)'|"([^"]*)"|\x60([^\x60]*)\x60`
  const bare = String.raw`((?:[^;{}'"\x60,()[\]]|\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\])*)`
  const declared = new RegExp(String.raw`[\w-]*(?:${name.source})[\w-]*(?:['"]?:\s*(?:${quoted}|${bare})|\s*=\s*(?:${quoted}))`, 'gi')
  return [...text.matchAll(declared)].map((match) => {
    const value = match.slice(1).join('').trim()
    return /^(?:\d+|\[[\d\s,]+\])$/.test(value) ? [...value.matchAll(/\d+/g)].map(([number]) => (number === '0' ? '0' : `${number}px`)).join(' ') : value
  })
}

/** The values of paddings, margins and gaps that have a length off the scale; a negative margin counts as what it takes back. */
function strayIn(text: string, scale: readonly string[]): string[] {
  const spaces = valuesLike(text, /padding|margin|(?<![a-z])gap|(?<=row|column)gap/)
  return spaces.filter((value) => [...value.matchAll(/[\d.]+(?:px|r?em)\b/g)].some(([length]) => !['0px', '1px', ...scale].includes(length)))
}

describe('the files of the console', () => {
  const files = filesOf(root)
  const steps = [...tokens.matchAll(/--space-\d+: (\w+);/g)].map(([, step = '']) => step)

  it('have no colour of their own', () => {
    const literal = /(?<![\w&/`$'"{(#-])#(?:[\da-f]{3}|[\da-f]{4}|[\da-f]{6}|[\da-f]{8})\b(?!\()|['"]#(?:[\da-f]{3}|[\da-f]{6})['"]|\b(?:rgba?|hsla?|oklch|lab)\(|(?<=(?:color|background|border|fill|stroke):[^;]*\s)(?:white|black|red|green|blue|gray|grey|orange|yellow)\b/gi
    const found = files.flatMap((file) => [...styled(file).matchAll(literal)].map(([text]) => `${file}: ${text}`))
    expect(found).toEqual([])
  })

  it('use the sizes of type of the scale, and no others', () => {
    const scale = [...tokens.matchAll(/--type-\w+: ([\d.]+px)/g)].map(([, size]) => size)
    expect(scale).toHaveLength(8)
    const found = files.flatMap((file) => valuesOf(styled(file), 'font-size').filter((value) => /^[\d.]/.test(value) && !scale.includes(value)).map((value) => `${file}: font-size ${value}`))
    expect(found).toEqual([])
  })

  it.each([
    ['a shorthand', 'a { padding: 4px 7px 0 }', ['4px 7px 0']],
    ['one side', 'a { padding-inline: 10px; margin-top: -3px }', ['10px', '-3px']],
    ['a gap', 'a { gap: 8px 20px; row-gap: 5px; column-gap: 8px }', ['8px 20px', '5px']],
    ['inside a function', 'a { margin: calc(12px - 1px) min(9vh, 96px) }', ['calc(12px - 1px) min(9vh, 96px)']],
    ['of Element Plus', 'a { --el-dialog-padding-primary: 20px }', ['20px']],
    ['a style in a template', '<p style="margin: 5px; width: 300px"><p :style="{ paddingLeft: `${depth * 18}px`, rowGap: \'3px\', width: \'300px\' }">', ['5px', '3px']],
    ['a style in a script', "host.style.marginTop = '5px'; theme({ '.line': { 'padding': '3px 0', top: '5px' } })", ['5px', '3px 0']],
    ['an option of a library', '<Edge :label-bg-padding="[5, 2]" />; ({ padding: 0, margin: 5, borderWidth: 3, labelBgPadding: [6, 3], zoom: 5 })', ['5px 2px', '5px', '6px 3px']],
    ['another unit', 'a { margin: 0.5em 50% 9vh }', ['0.5em 50% 9vh']],
    ['what is on the scale', 'a { padding: 0 1px 2px 48px; margin: -4px auto; gap: var(--space-8); top: 5px } fit({ padding: 0.2 }); const gap = 3', []],
  ])('are searched for space: %s', (_, text, found) => {
    expect(strayIn(text, steps)).toEqual(found)
  })

  it('have the space of the scale between things, and no other', () => {
    expect(steps).toHaveLength(9)
    expect(files.flatMap((file) => strayIn(styled(file), steps).map((value) => `${file}: ${value}`))).toEqual([])
  })

  it('have the radii that there are', () => {
    const radii = [...tokens.matchAll(/(--radius[\w-]*): (\w+);/g)].flatMap(([, name = '', value = '']) => [value, `var(${name})`])
    expect(radii).toHaveLength(8)
    const known = new Set(['0', '50%', 'inherit', ...radii])
    const found = files.flatMap((file) => valuesLike(styled(file), /border[\w-]*radius/).filter((value) => value.split(/[\s/]+/).some((one) => !known.has(one))).map((value) => `${file}: ${value}`))
    expect(found).toEqual([])
  })

  it('use two weights of type', () => {
    const found = files.flatMap((file) => valuesOf(styled(file), 'font-weight').filter((value) => !['400', '600', 'inherit', 'normal'].includes(value)).map((value) => `${file}: font-weight ${value}`))
    expect(found).toEqual([])
  })

  it('use tokens that there are', () => {
    const known = new Set([...tokens.matchAll(/(--[\w-]+):/g)].map(([, name = '']) => name))
    const used = files.flatMap((file) => [...styled(file).matchAll(/var\((--(?!el-|vf-|vue-flow|xy-)[\w-]+)(?=[,)])/g)].map(([, name = '']) => ({ file, name })))
    const local = new Set(files.flatMap((file) => [...styled(file).matchAll(/['"]?(--[\w-]+)['"]?\s*\]?:/g)].map(([, name = '']) => name)))
    expect(used.filter(({ name }) => !known.has(name) && !local.has(name)).map(({ file, name }) => `${file}: ${name}`)).toEqual([])
  })

  it('except what is known, and still so', () => {
    for (const { file, text } of EXCEPTIONS) expect(readFileSync(join(root, file), 'utf8'), file).toMatch(text)
  })
})

describe.each(['light', 'dark'] as const)('the colours of the %s theme', (theme) => {
  const colours = coloursOf(theme)
  const of = (name: string): Rgb => {
    const value = colours.get(name)
    if (value === undefined) throw new Error(`there is no token --${name}`)
    return value
  }
  const SURFACES = ['bg', 'bg-rail', 'bg-soft', 'bg-overlay']
  const STATES = [...new Set([...RUN_STATES, ...STEP_STATES, ...WORKFLOW_RUN_STATES])]
  const ANSI = Array.from({ length: 16 }, (_, index) => `ansi-${index}`)
  const CODE = ['code-keyword', 'code-string', 'code-number', 'code-name']

  it.each([
    ...STATES.map((state) => [`state-${state}`, ['bg', 'bg-overlay']] as const),
    ...['text', 'text-2', 'primary'].map((name) => [name, [...SURFACES, 'bg-hover', 'bg-active']] as const),
    ['text-3', ['bg', 'bg-overlay']] as const,
    ...[...ANSI, ...CODE].map((name) => [name, ['bg']] as const),
    ['on-fill', ['primary-fill', 'primary-fill-hover', 'danger-fill', 'danger-fill-hover']] as const,
    ['on-tip', ['tip']] as const,
    ['on-hit', ['hit']] as const,
  ])('--%s is readable', (name, surfaces) => {
    for (const surface of surfaces) expect(contrast(of(name), of(surface)), `--${name} on --${surface}`).toBeGreaterThanOrEqual(4.5)
  })

  it('show where the focus is (3 to 1)', () => {
    for (const surface of SURFACES) expect(contrast(of('focus'), of(surface)), surface).toBeGreaterThanOrEqual(3)
  })
})

describe('a state', () => {
  it('has one icon, and no two have the same', () => {
    const icon = readFileSync(join(root, 'components', 'state-icon.vue'), 'utf8')
    const shapes = new Map([...icon.matchAll(/^ {2}(\w+): '(M[^']+)'/gm)].map(([, state = '', shape = '']) => [state, shape]))
    for (const state of [...RUN_STATES, ...STEP_STATES, ...WORKFLOW_RUN_STATES]) expect(shapes.has(state), state).toBe(true)
    expect(new Set(shapes.values()).size).toBe(shapes.size)
  })
})

type Rgb = readonly [number, number, number]

/** The tokens of a theme that are plain colours, aliases followed. */
function coloursOf(theme: 'light' | 'dark'): Map<string, Rgb> {
  const [light = '', dark = ''] = tokens.split('html.dark')
  const written = new Map([...`${light}${theme === 'dark' ? dark : ''}`.matchAll(/--([\w-]+): ([^;]+);/g)].map(([, name = '', value = '']) => [name, value.trim()]))
  const follow = (value: string): string => {
    const alias = /^var\(--([\w-]+)\)$/.exec(value)?.[1]
    return alias === undefined ? value : follow(written.get(alias) ?? '')
  }
  return new Map([...written].flatMap(([name, value]) => {
    const hex = /^#([\da-f]{6})$/i.exec(follow(value))?.[1]
    return hex === undefined ? [] : [[name, [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb]]
  }))
}

/** As WCAG 2 defines it: 1 to 21. */
function contrast(one: Rgb, other: Rgb): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(colour: Rgb): number {
  const [red = 0, green = 0, blue = 0] = colour.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
