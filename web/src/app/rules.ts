// Rules of the policies in words: the name of one that was asked, the reason of one that stopped, and what it saw.
// The server writes codes such as `cap.marketing.3_in_7d` and sentences in English. What is not known here is shown
// as it was written; the code always stands beside the words.
import { useMemo } from 'react'
import { defineTexts, type Translate, useLanguage } from '../i18n.ts'
import { absolute } from '../ui/time.ts'
import { useNames } from './names.ts'

const texts = {
  en: {
    consent_asked: 'Consent to {{purpose}}',
    consent_double: 'Confirmed consent to {{purpose}}',
    consent_withdrawn: 'Consent to {{purpose}} was withdrawn',
    consent_missing: 'No consent to {{purpose}}',
    consent_double_missing: 'Not confirmed: consent to {{purpose}}',
    address_asked: 'An address for this channel',
    address_missing: 'No address for this channel',
    channel_none: 'No channel was left',
    channel_asked: '{{channel}} is allowed here',
    channel_stopped: '{{channel}} is not allowed here',
    suppressed: 'Address blocked: {{reason}}',
    suppression_list: 'Suppression list',
    quiet: 'Quiet hours, {{from}} to {{to}}',
    quiet_never: 'Quiet hours never end',
    contact_times: 'Outside the times at which the customer wants to be written to',
    cap: 'At most {{max}} × {{purpose}} in {{within}}',
    any: 'messages',
    cap_channel: 'At most {{max}} × {{purpose}} by {{channel}} in {{within}}',
    days: '{{n}} days',
    day: 'a day',
    hours: '{{n}} hours',
    hour: 'an hour',
    deadline: 'Its time ran out before it could go out',
    session_window:
      'WhatsApp takes texts of your own for 24 hours after the customer wrote only; write a template instead',
    two_people: 'two different values of {{kind}} prove two people',
    limit: 'the limit of {{kind}} would be broken',
    kept_apart: 'an un-merge keeps these two apart',
    guarded: 'the profile would grow beyond the guard',
    index_full: 'the identity index is full',
    saw_no_address: 'the profile has no address for this channel',
    saw_allowed: 'allowed are {{list}}',
    saw_blocked: 'this address must not be used any more: {{reason}}',
    saw_listed: 'the address is on the list',
    saw_not_listed: 'the address is not on the list',
    saw_granted: 'granted on {{at}} by {{proof}}',
    saw_withdrawn: 'withdrawn on {{at}} by {{proof}}',
    saw_not_needed: 'no consent is needed, and nothing was withdrawn',
    saw_unconfirmed: 'no confirmed consent',
    saw_none: 'no consent',
    saw_unnamed: 'no consent, and no policy names this purpose, so it is needed',
    saw_used: '{{used}} of {{max}} used since {{at}}',
    saw_clock: 'it is {{time}} in {{zone}}',
    saw_due: 'due on {{at}}, would be held until {{until}}',
    saw_no_zone: 'no time zone is known for the customer, nor for the workspace',
    saw_zones: 'time zone unknown: allowed only when it is in all {{zones}} possible ones, {{first}} to {{last}}',
    saw_never: 'no time in the coming days is outside the quiet hours of every possible time zone',
  },
  de: {
    consent_asked: 'Einwilligung in {{purpose}}',
    consent_double: 'Bestätigte Einwilligung in {{purpose}}',
    consent_withdrawn: 'Einwilligung in {{purpose}} wurde widerrufen',
    consent_missing: 'Keine Einwilligung in {{purpose}}',
    consent_double_missing: 'Nicht bestätigt: Einwilligung in {{purpose}}',
    address_asked: 'Eine Adresse für diesen Kanal',
    address_missing: 'Keine Adresse für diesen Kanal',
    channel_none: 'Kein Kanal blieb übrig',
    channel_asked: '{{channel}} ist hier erlaubt',
    channel_stopped: '{{channel}} ist hier nicht erlaubt',
    suppressed: 'Adresse gesperrt: {{reason}}',
    suppression_list: 'Sperrliste',
    quiet: 'Ruhezeit, {{from}} bis {{to}}',
    quiet_never: 'Ruhezeit endet nie',
    contact_times: 'Außerhalb der Zeiten, zu denen der Kunde Nachrichten möchte',
    cap: 'Höchstens {{max}} × {{purpose}} in {{within}}',
    any: 'Nachrichten',
    cap_channel: 'Höchstens {{max}} × {{purpose}} per {{channel}} in {{within}}',
    days: '{{n}} Tagen',
    day: 'einem Tag',
    hours: '{{n}} Stunden',
    hour: 'einer Stunde',
    deadline: 'Die Frist lief ab, bevor sie hinausgehen konnte',
    session_window:
      'WhatsApp nimmt freie Texte nur 24 Stunden lang an, nachdem der Kunde geschrieben hat; sonst eine Vorlage verwenden',
    two_people: 'zwei verschiedene Werte von {{kind}} beweisen zwei Personen',
    limit: 'die Grenze für {{kind}} wäre überschritten',
    kept_apart: 'eine Trennung hält diese beiden auseinander',
    guarded: 'das Profil würde über die Grenze wachsen',
    index_full: 'der Index der Kennungen ist voll',
    saw_no_address: 'das Profil hat keine Adresse für diesen Kanal',
    saw_allowed: 'erlaubt sind {{list}}',
    saw_blocked: 'diese Adresse darf nicht mehr benutzt werden: {{reason}}',
    saw_listed: 'die Adresse steht auf der Liste',
    saw_not_listed: 'die Adresse steht nicht auf der Liste',
    saw_granted: 'erteilt am {{at}} durch {{proof}}',
    saw_withdrawn: 'widerrufen am {{at}} durch {{proof}}',
    saw_not_needed: 'keine Einwilligung nötig, und nichts wurde widerrufen',
    saw_unconfirmed: 'keine bestätigte Einwilligung',
    saw_none: 'keine Einwilligung',
    saw_unnamed: 'keine Einwilligung, und keine Regel nennt diesen Zweck, also ist sie nötig',
    saw_used: '{{used}} von {{max}} verbraucht seit {{at}}',
    saw_clock: 'es ist {{time}} in {{zone}}',
    saw_due: 'fällig am {{at}}, würde bis {{until}} zurückgehalten',
    saw_no_zone: 'weder für die Person noch für den Arbeitsbereich ist eine Zeitzone bekannt',
    saw_zones:
      'Zeitzone unbekannt: erlaubt nur, wenn es in allen {{zones}} möglichen erlaubt ist, {{first}} bis {{last}}',
    saw_never: 'in den nächsten Tagen liegt keine Zeit außerhalb der Ruhezeiten aller möglichen Zeitzonen',
  },
} as const

const useTexts = defineTexts('rules', texts)
type T = Translate<typeof texts.en>
type Time = (at: string) => string
type Words = (found: Record<string, string>, t: T, time: Time) => string
type Channel = (kind: string) => string

function within(span: string, t: T): string {
  const [, n = '', unit] = /^(\d+)([dh])$/.exec(span) ?? []
  if (unit === 'd') return n === '1' ? t('day') : t('days', { n })
  if (unit === 'h') return n === '1' ? t('hour') : t('hours', { n })
  return span
}

/** A code's pattern, its name, and the reason that it is when it stops something. */
const RULES: readonly [RegExp, Words, Words?][] = [
  [/^consent\.(?<purpose>.+)\.withdrawn$/, (at, t) => t('consent_withdrawn', at)],
  [
    /^consent\.(?<purpose>.+)\.double_opt_in$/,
    (at, t) => t('consent_double', at),
    (at, t) => t('consent_double_missing', at),
  ],
  [
    /^consent\.(?<purpose>.+)\.(?:opt_in|opt_out|none)$/,
    (at, t) => t('consent_asked', at),
    (at, t) => t('consent_missing', at),
  ],
  [/^address\.missing$/, (_, t) => t('address_asked'), (_, t) => t('address_missing')],
  [/^channel\.none$/, (_, t) => t('channel_none')],
  [/^channel\.(?<channel>.+)\.allowed$/, (at, t) => t('channel_asked', at), (at, t) => t('channel_stopped', at)],
  [/^suppressed\.(?<reason>.+)$/, (at, t) => t('suppressed', at)],
  [/^suppression_list/, (_, t) => t('suppression_list')],
  [/^contact_times$/, (_, t) => t('contact_times')],
  [/^quiet_hours\.never_free$/, (_, t) => t('quiet_never')],
  [/^quiet_hours\.(?<from>[\d:]+)-(?<to>[\d:]+)/, (at, t) => t('quiet', at)],
  [
    /^cap\.(?<purpose>[^.]+)(?:\.(?<channel>[^.]+))?\.(?<max>\d+)_in_(?<span>\w+)/,
    (at, t) => {
      const purpose = at.purpose === 'all' ? t('any') : (at.purpose ?? '')
      return t(at.channel ? 'cap_channel' : 'cap', { ...at, purpose, within: within(at.span ?? '', t) })
    },
  ],
  [/^deadline$/, (_, t) => t('deadline')],
  [/^session_window$/, (_, t) => t('session_window')],
  // Why an identifier was not joined.
  [/^two different values of (?<kind>.+) prove two people$/, (at, t) => t('two_people', at)],
  [/^the limit of (?<kind>.+) would be broken$/, (at, t) => t('limit', at)],
  [/^an un-merge keeps these two apart$/, (_, t) => t('kept_apart')],
  [/^the profile would grow beyond the guard size$/, (_, t) => t('guarded')],
  [/^the identity index is full$/, (_, t) => t('index_full')],
]

const SEEN: readonly [RegExp, Words][] = [
  [/^the profile has no address for this channel$/, (_, t) => t('saw_no_address')],
  [/^allowed are (?<list>.+)$/, (at, t) => t('saw_allowed', at)],
  [/^this address must not be used any more: (?<reason>.+)$/, (at, t) => t('saw_blocked', at)],
  [/^the address is on the list$/, (_, t) => t('saw_listed')],
  [/^the address is not on the list$/, (_, t) => t('saw_not_listed')],
  [
    /^granted at (?<at>\S+) by message (?<proof>.+)$/,
    (at, t, time) => t('saw_granted', { ...at, at: time(at.at ?? '') }),
  ],
  [
    /^withdrawn at (?<at>\S+) by message (?<proof>.+)$/,
    (at, t, time) => t('saw_withdrawn', { ...at, at: time(at.at ?? '') }),
  ],
  [/^no consent is needed, and nothing was withdrawn$/, (_, t) => t('saw_not_needed')],
  [/^no confirmed consent$/, (_, t) => t('saw_unconfirmed')],
  [/^no consent$/, (_, t) => t('saw_none')],
  [/^no consent, and no policy names this purpose/, (_, t) => t('saw_unnamed')],
  [
    /^(?<used>\d+) of (?<max>\d+)(?: \(.+\))? used since (?<at>\S+)$/,
    (at, t, time) => t('saw_used', { ...at, at: time(at.at ?? '') }),
  ],
  [/^it is (?<time>\S+) in (?<zone>\S+)$/, (at, t) => t('saw_clock', at)],
  [
    /^due at (?<at>\S+), would be held until (?<until>\S+)$/,
    (at, t, time) => t('saw_due', { at: time(at.at ?? ''), until: time(at.until ?? '') }),
  ],
  [/^no time zone is known for the customer/, (_, t) => t('saw_no_zone')],
  [
    /^time zone unknown: it must be allowed in all (?<zones>\d+) possible zones, (?<first>\S+) to (?<last>\S+)$/,
    (at, t) => t('saw_zones', at),
  ],
  [/^no time in the coming days is outside quiet hours/, (_, t) => t('saw_never')],
]

function match(
  text: string,
  t: T,
  time: Time,
  rows: readonly (readonly [RegExp, ...(Words | undefined)[]])[],
  at: number,
  channel: Channel,
) {
  for (const [pattern, ...words] of rows) {
    const found = pattern.exec(text)
    const say = found && (words[at] ?? words[0])
    if (!say) continue
    const groups = { ...found.groups }
    if (groups.channel) groups.channel = channel(groups.channel)
    if (groups.list) groups.list = groups.list.split(', ').map(channel).join(', ')
    return say(groups, t, time)
  }
  return text
}

const asWritten = (text: string) => text

export const nameOfRule = (code: string, t: T, channel: Channel = asWritten): string =>
  match(code, t, asWritten, RULES, 0, channel)
export const reasonOfRule = (code: string, t: T, channel: Channel = asWritten): string =>
  match(code, t, asWritten, RULES, 1, channel)
export const whatItSaw = (facts: string, t: T, time: Time, channel: Channel = asWritten): string =>
  match(facts, t, time, SEEN, 0, channel)

export interface RuleWords {
  /** What was asked: "Consent to marketing". */
  name: (code: string) => string
  /** Why something was stopped: "No consent to marketing". */
  reason: (code: string) => string
  /** What it saw. */
  saw: (facts: string) => string
}

export function useRules(): RuleWords {
  const t = useTexts()
  const { channel, spoken } = useNames()
  const [language] = useLanguage()
  return useMemo(
    () => ({
      name: (code) => nameOfRule(code, t, channel),
      reason: (code) => reasonOfRule(code, t, channel),
      saw: (facts) => whatItSaw(facts, t, (at) => absolute(Date.parse(at), language), spoken),
    }),
    [t, language, channel, spoken],
  )
}
