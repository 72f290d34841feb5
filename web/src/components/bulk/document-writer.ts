import { documentToYaml, type TickwheelDocument } from '@tickwheel/contract'

/** A document as the text of a YAML file. It stands apart: only who exports loads what writes YAML. */
export function documentText(document: TickwheelDocument): Blob {
  return new Blob([...documentToYaml(document)], { type: 'application/yaml' })
}
