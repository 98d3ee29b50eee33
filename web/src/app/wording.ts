// What the server found, in the reader's language: its codes and values put into words. A code that is not known here
// is said as the server says it.

import type { Wording } from '../api/types.ts'
import { defineTexts } from '../i18n.ts'

const TEXTS = {
  en: {
    secret_missing: 'Not set: `{{names}}`.',
    settings_wrong: 'The settings of this account cannot be used: {{reason}}',
    way_missing: 'The account does not say by what provider a {{kind}} goes out.',
    account_not_set_up: 'The account is not set up.',
    provider_refused: 'The provider refused the message (`{{code}}`).',
    provider_address_gone: 'The provider does not know the address, or it takes no messages any more (`{{code}}`).',
    provider_later: 'The provider does not take the message right now (`{{code}}`).',
    provider_throttled: 'The provider asks for a pause (`{{code}}`).',
    provider_unavailable: 'The provider cannot be used right now (`{{code}}`).',
    provider_no_answer: 'The provider did not say whether it took the message (`{{code}}`).',
    provider_account: 'The provider does not accept the account (`{{code}}`). Check its settings and secrets.',
    source_silent: 'Nothing came for {{minutes}} minutes, usually {{usual}} events in {{window}} minutes.',
    source_jump: '{{events}} events came in {{window}} minutes, usually {{usual}}.',
    calls_refused: 'Events that could not be taken: {{waiting}}.',
    calls_dropped: 'Events that could not be taken: {{waiting}}. Older ones were dropped: {{dropped}}.',
    clock_behind: "The system's clock is {{seconds}} s behind the log. Timers wait until it has caught up.",
    node_down: 'Nothing is taken right now (`{{problem}}`): {{cause}}',
  },
  de: {
    secret_missing: 'Nicht gesetzt: `{{names}}`.',
    settings_wrong: 'Die Einstellungen dieses Kontos sind nicht brauchbar: {{reason}}',
    way_missing: 'Das Konto sagt nicht, über welchen Anbieter {{kind}} hinausgeht.',
    account_not_set_up: 'Das Konto ist nicht eingerichtet.',
    provider_refused: 'Der Anbieter hat die Nachricht abgelehnt (`{{code}}`).',
    provider_address_gone: 'Der Anbieter kennt die Adresse nicht, oder sie nimmt nichts mehr an (`{{code}}`).',
    provider_later: 'Der Anbieter nimmt die Nachricht gerade nicht an (`{{code}}`).',
    provider_throttled: 'Der Anbieter bittet um eine Pause (`{{code}}`).',
    provider_unavailable: 'Der Anbieter ist gerade nicht zu gebrauchen (`{{code}}`).',
    provider_no_answer: 'Der Anbieter hat nicht gesagt, ob er die Nachricht angenommen hat (`{{code}}`).',
    provider_account: 'Der Anbieter nimmt das Konto nicht an (`{{code}}`). Prüfe seine Einstellungen und Geheimnisse.',
    source_silent: 'Seit {{minutes}} Minuten kam nichts, üblich sind {{usual}} Ereignisse in {{window}} Minuten.',
    source_jump: 'In {{window}} Minuten kamen {{events}} Ereignisse, üblich sind {{usual}}.',
    calls_refused: 'Ereignisse, die nicht angenommen werden konnten: {{waiting}}.',
    calls_dropped:
      'Ereignisse, die nicht angenommen werden konnten: {{waiting}}. Ältere wurden verworfen: {{dropped}}.',
    clock_behind: 'Die Uhr des Systems geht dem Log {{seconds}} s nach. Timer warten, bis sie aufgeholt hat.',
    node_down: 'Gerade wird nichts angenommen (`{{problem}}`): {{cause}}',
  },
} as const

const useWordingTexts = defineTexts('wording', TEXTS)

const isKnown = (code: string): code is keyof typeof TEXTS.en => code in TEXTS.en

/** Says `wording`, or what the server says where its code is not known. */
export function useWording() {
  const t = useWordingTexts()
  return (wording: Wording | null | undefined, said: string) =>
    wording && isKnown(wording.code) ? t(wording.code, wording.values) : said
}
