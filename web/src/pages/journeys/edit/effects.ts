// What publishing means for people, in the reader's language. The server says it in English; what is not known here is
// left as it says it.
import { defineTexts, type Translate } from '../../../i18n.ts'

const texts = {
  en: {
    journey_new: 'The journey “{{name}}” is new. People enter from the next event on.',
    journey_changed: 'The journey “{{name}}” gets a new version. Nobody is inside.',
    journey_changed_inside_one:
      'The journey “{{name}}” gets a new version. {{number}} person inside stays on the one they entered with.',
    journey_changed_inside_other:
      'The journey “{{name}}” gets a new version. {{number}} people inside stay on the one they entered with.',
    journey_removed: 'The journey “{{name}}” is removed. Nobody enters any more; who is inside goes on to the end.',
    audience_new: 'The audience “{{name}}” is new. Everybody is looked at with their next event.',
    audience_changed: 'The audience “{{name}}” gets another rule. Everybody is looked at again with their next event.',
    audience_removed: 'The audience “{{name}}” is removed.',
    trait_new: 'The computed trait “{{name}}” is new. It counts from now on.',
    trait_changed: 'The computed trait “{{name}}” is defined in another way. What was counted so far stays.',
    trait_removed: 'The computed trait “{{name}}” is removed.',
    template_new: 'The template “{{name}}” is new.',
    template_changed: 'The template “{{name}}” says something else from the next message on.',
    template_removed: 'The template “{{name}}” is removed.',
  },
  de: {
    journey_new: 'Die Journey „{{name}}“ ist neu. Menschen treten ab dem nächsten Ereignis ein.',
    journey_changed: 'Die Journey „{{name}}“ bekommt eine neue Version. Niemand ist darin.',
    journey_changed_inside_one:
      'Die Journey „{{name}}“ bekommt eine neue Version. {{number}} Person darin bleibt bei der, in die sie eintrat.',
    journey_changed_inside_other:
      'Die Journey „{{name}}“ bekommt eine neue Version. {{number}} Personen darin bleiben bei der, in die sie eintraten.',
    journey_removed:
      'Die Journey „{{name}}“ wird entfernt. Niemand tritt mehr ein; wer darin ist, geht bis zum Ende weiter.',
    audience_new: 'Die Zielgruppe „{{name}}“ ist neu. Jeder wird bei seinem nächsten Ereignis angesehen.',
    audience_changed:
      'Die Zielgruppe „{{name}}“ bekommt eine andere Regel. Jeder wird bei seinem nächsten Ereignis neu angesehen.',
    audience_removed: 'Die Zielgruppe „{{name}}“ wird entfernt.',
    trait_new: 'Das berechnete Merkmal „{{name}}“ ist neu. Es zählt ab jetzt.',
    trait_changed: 'Das berechnete Merkmal „{{name}}“ ist anders definiert. Was bisher gezählt wurde, bleibt.',
    trait_removed: 'Das berechnete Merkmal „{{name}}“ wird entfernt.',
    template_new: 'Die Vorlage „{{name}}“ ist neu.',
    template_changed: 'Die Vorlage „{{name}}“ sagt ab der nächsten Nachricht etwas anderes.',
    template_removed: 'Die Vorlage „{{name}}“ wird entfernt.',
  },
} as const

export const useEffectTexts = defineTexts('effects', texts)
type T = Translate<typeof texts.en>

const SAID: readonly [RegExp, Parameters<T>[0]][] = [
  [/^journey (?<name>\S+) is new /, 'journey_new'],
  [/^journey (?<name>\S+) gets version \S+; nobody/, 'journey_changed'],
  [/^journey (?<name>\S+) gets version \S+; (?<count>\d+) /, 'journey_changed_inside'],
  [/^journey (?<name>\S+) is removed/, 'journey_removed'],
  [/^audience (?<name>\S+) is new/, 'audience_new'],
  [/^audience (?<name>\S+) gets another rule/, 'audience_changed'],
  [/^audience (?<name>\S+) is removed/, 'audience_removed'],
  [/^computed trait (?<name>\S+) is new/, 'trait_new'],
  [/^computed trait (?<name>\S+) is defined/, 'trait_changed'],
  [/^computed trait (?<name>\S+) is removed/, 'trait_removed'],
  [/^template (?<name>\S+) is new/, 'template_new'],
  [/^template (?<name>\S+) says something else/, 'template_changed'],
  [/^template (?<name>\S+) is removed/, 'template_removed'],
]

export function effectInWords(said: string, t: T): string {
  for (const [pattern, key] of SAID) {
    const found = pattern.exec(said)?.groups
    if (found) return t(key, { name: found.name ?? '', ...(found.count && { count: Number(found.count) }) })
  }
  return said
}
