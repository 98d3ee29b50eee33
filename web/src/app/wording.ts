// What the server found, in the reader's language: its codes and values put into words. Every code of its OpenAPI
// document is known here, which a test looks at; what a newer server says is shown as it says it.

import type { Wording } from '../api/types.ts'
import { defineTexts, type Translate } from '../i18n.ts'

const TEXTS = {
  en: {
    secret_missing: 'Not set: `{{names}}`.',
    setting_wrong: '`{{key}}` of this account cannot be used. {{fault}}',
    setting_unknown: 'The account has a setting `{{key}}` that is not known. Take it out, or correct its name.',
    setting_missing: 'The account lacks the setting `{{key}}`.',
    settings_wrong: 'A setting of this account has the wrong form: `{{reason}}`.',
    way_missing: 'The account does not say by what provider it sends.',
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
    identity_guarded_one:
      'An identifier was not joined: the profile would grow beyond the guard. It is no longer a person.',
    identity_guarded_other:
      '{{number}} identifiers were not joined: the profile would grow beyond the guard. It is no longer a person.',
    clock_behind: "The system's clock is {{seconds}} s behind the log. Timers wait until it has caught up.",
    node_down: 'Nothing is taken right now: {{problem}} (`{{cause}}`).',
  },
  de: {
    secret_missing: 'Nicht gesetzt: `{{names}}`.',
    setting_wrong: '`{{key}}` dieses Kontos ist nicht brauchbar. {{fault}}',
    setting_unknown:
      'Das Konto hat eine Einstellung `{{key}}`, die es nicht gibt. Nimm sie heraus, oder berichtige ihren Namen.',
    setting_missing: 'Dem Konto fehlt die Einstellung `{{key}}`.',
    settings_wrong: 'Eine Einstellung dieses Kontos hat die falsche Form: `{{reason}}`.',
    way_missing: 'Das Konto sagt nicht, über welchen Anbieter es sendet.',
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
    identity_guarded_one:
      'Eine Kennung wurde nicht verbunden: Das Profil würde über die Grenze wachsen. Das ist keine einzelne Person mehr.',
    identity_guarded_other:
      '{{number}} Kennungen wurden nicht verbunden: Das Profil würde über die Grenze wachsen. Das ist keine einzelne Person mehr.',
    clock_behind: 'Die Uhr des Systems geht dem Log {{seconds}} s nach. Timer warten, bis sie aufgeholt hat.',
    node_down: 'Gerade wird nichts angenommen: {{problem}} (`{{cause}}`).',
  },
} as const

/** What is wrong with a setting. */
const FAULTS = {
  en: {
    empty: 'It is empty. Set the environment variable or file that it comes from.',
    no_mail: 'It is no e-mail address. Write it like `news@example.com` or `Shop <news@example.com>`.',
    no_bounces:
      'It is no e-mail address. Write it like `bounces@example.com`, `bounces+@example.com` or `b-{message}@example.com`.',
    no_url: 'It cannot be called. Write `http://` or `https://` and a host.',
    no_https: 'It is no address. Write `https://` and a host.',
    no_sender: 'It is neither a number with `+`, a short code, nor 1 to 11 letters, digits and spaces.',
    two_senders: 'They are two ways to name the sender. Write one of them.',
    no_subject: 'It is neither `mailto:` and an address nor an `https:` URL.',
    twilio_address: 'They make no address. Write `https://` and `AC…`.',
    whatsapp_address: 'They make no address. Write `https://`, `v` and a number, and digits.',
    sinch_address: 'They make no address. Write `eu`, `us` or `br`, and ids.',
    sinch_keys: 'Set the first two, or the third alone.',
    system_id_too_long: 'It is longer than the 15 ASCII characters of SMPP 3.4.',
    password_too_long: 'It is longer than the 8 ASCII characters of SMPP 3.4. Ask the provider for another one.',
    system_type_too_long: 'It is longer than the 12 ASCII characters of SMPP 3.4.',
    zero: 'Each must be at least 1.',
    no_webhook_secret: 'It is not `whsec_` and base 64 of 24 to 64 bytes. `openssl rand -base64 32` makes such bytes.',
    no_vapid_key: 'It is no P-256 key. Make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`.',
    no_private_key: 'It holds no private key. Write a PEM block `PRIVATE KEY`.',
    no_signing_key: 'It is no key that can sign. Make one of RSA with 2048 bits or more, or of Ed25519.',
    no_certificate: 'It holds no certificate that can be read. Write PEM text.',
    file_unreadable: 'It names a file that cannot be read. Write the path of a PEM file.',
    file_without_certificate: 'It names a file without a sound certificate. It has to be PEM.',
    file_without_key: 'It names a file without a private key. Write the path of a PEM file.',
    other_key: 'It does not belong to the certificate. Name the key that it was made with.',
  },
  de: {
    empty: 'Es ist leer. Setze die Umgebungsvariable oder Datei, aus der es kommt.',
    no_mail: 'Es ist keine E-Mail-Adresse. Schreibe sie wie `news@example.com` oder `Shop <news@example.com>`.',
    no_bounces:
      'Es ist keine E-Mail-Adresse. Schreibe sie wie `bounces@example.com`, `bounces+@example.com` oder `b-{message}@example.com`.',
    no_url: 'Es lässt sich nicht aufrufen. Schreibe `http://` oder `https://` und einen Host.',
    no_https: 'Es ist keine Adresse. Schreibe `https://` und einen Host.',
    no_sender: 'Es ist weder eine Nummer mit `+` noch eine Kurzwahl noch 1 bis 11 Buchstaben, Ziffern und Leerzeichen.',
    two_senders: 'Das sind zwei Arten, den Absender zu nennen. Schreibe eine davon.',
    no_subject: 'Es ist weder `mailto:` und eine Adresse noch eine `https:`-URL.',
    twilio_address: 'Sie ergeben keine Adresse. Schreibe `https://` und `AC…`.',
    whatsapp_address: 'Sie ergeben keine Adresse. Schreibe `https://`, `v` und eine Zahl, und Ziffern.',
    sinch_address: 'Sie ergeben keine Adresse. Schreibe `eu`, `us` oder `br`, und Kennungen.',
    sinch_keys: 'Setze die ersten beiden oder nur das dritte.',
    system_id_too_long: 'Es ist länger als die 15 ASCII-Zeichen von SMPP 3.4.',
    password_too_long: 'Es ist länger als die 8 ASCII-Zeichen von SMPP 3.4. Bitte den Anbieter um ein anderes.',
    system_type_too_long: 'Es ist länger als die 12 ASCII-Zeichen von SMPP 3.4.',
    zero: 'Jedes muss mindestens 1 sein.',
    no_webhook_secret:
      'Es ist nicht `whsec_` und Base64 von 24 bis 64 Bytes. `openssl rand -base64 32` macht solche Bytes.',
    no_vapid_key:
      'Es ist kein P-256-Schlüssel. Mache einen mit `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`.',
    no_private_key: 'Darin ist kein privater Schlüssel. Schreibe einen PEM-Block `PRIVATE KEY`.',
    no_signing_key:
      'Mit diesem Schlüssel lässt sich nicht unterschreiben. Mache einen mit RSA und mindestens 2048 Bit oder mit Ed25519.',
    no_certificate: 'Darin ist kein lesbares Zertifikat. Schreibe PEM-Text.',
    file_unreadable: 'Die genannte Datei lässt sich nicht lesen. Schreibe den Pfad einer PEM-Datei.',
    file_without_certificate: 'In der genannten Datei ist kein gültiges Zertifikat. Es muss PEM sein.',
    file_without_key: 'In der genannten Datei ist kein privater Schlüssel. Schreibe den Pfad einer PEM-Datei.',
    other_key: 'Er gehört nicht zum Zertifikat. Nenne den Schlüssel, mit dem es gemacht wurde.',
  },
} as const

/** Why nothing is taken: the codes that the node stops with. */
const PROBLEMS = {
  en: {
    'log-beyond': 'the state store is ahead of the log',
    'log-broken': 'a record in the log is damaged',
    'log-disk': 'the disk under the log failed',
    'log-full': 'the disk under the log is full',
    'log-missing': 'a segment of the log is missing',
    'log-removed': 'a record was asked for that is no longer kept',
    'log-stopped': 'the log stopped after an earlier failure',
    'log-too-long': 'a record is too long for the log',
    'log-unreadable': 'the log cannot be read',
    'node-failed': 'the engine could not go on',
    'store-corrupt': 'a table of the state store is damaged',
    'store-full': 'the disk under the state store is full',
    'store-open': 'the state store cannot be opened',
    'store-read': 'the state store cannot be read',
    'store-stopped': 'the state store stopped after an earlier failure',
    'store-write': 'the state store cannot be written',
  },
  de: {
    'log-beyond': 'der Zustandsspeicher ist dem Log voraus',
    'log-broken': 'ein Eintrag im Log ist beschädigt',
    'log-disk': 'die Platte unter dem Log hat versagt',
    'log-full': 'die Platte unter dem Log ist voll',
    'log-missing': 'ein Stück des Logs fehlt',
    'log-removed': 'ein Eintrag wurde gebraucht, der nicht mehr aufgehoben ist',
    'log-stopped': 'das Log steht nach einem früheren Fehler still',
    'log-too-long': 'ein Eintrag ist zu lang für das Log',
    'log-unreadable': 'das Log lässt sich nicht lesen',
    'node-failed': 'die Engine kam nicht weiter',
    'store-corrupt': 'eine Tabelle des Zustandsspeichers ist beschädigt',
    'store-full': 'die Platte unter dem Zustandsspeicher ist voll',
    'store-open': 'der Zustandsspeicher lässt sich nicht öffnen',
    'store-read': 'der Zustandsspeicher lässt sich nicht lesen',
    'store-stopped': 'der Zustandsspeicher steht nach einem früheren Fehler still',
    'store-write': 'in den Zustandsspeicher lässt sich nicht schreiben',
  },
} as const

const useWordingTexts = defineTexts('wording', TEXTS)
const useFaults = defineTexts('faults', FAULTS)
const useProblems = defineTexts('problems', PROBLEMS)

type Code = Parameters<Translate<typeof TEXTS.en>>[0]
const has = <K extends string>(texts: Record<K, unknown>, key: unknown): key is K =>
  typeof key === 'string' && key in texts
const isKnown = (code: string): code is Code => has(TEXTS.en, code) || has(TEXTS.en, `${code}_other`)

export interface WordingWords {
  say: Translate<typeof TEXTS.en>
  fault: Translate<typeof FAULTS.en>
  problem: Translate<typeof PROBLEMS.en>
}

/** `wording` in words; null where its code, or what it names, is not known. */
export function inWords({ code, values: given }: Wording, { say, fault, problem }: WordingWords): string | null {
  if (!isKnown(code)) return null
  const values = { ...given }
  if (typeof values.times === 'number') values.count = values.times
  // What an error of the system says is a quotation.
  if (typeof values.cause === 'string') values.cause = values.cause.replaceAll('`', "'")
  if (values.fault !== undefined) {
    if (!has(FAULTS.en, values.fault)) return null
    values.fault = fault(values.fault)
  }
  if (values.problem !== undefined) {
    if (!has(PROBLEMS.en, values.problem)) return null
    values.problem = problem(values.problem)
  }
  return say(code, values)
}

/** Says `wording`, or what the server says where it is not known. */
export function useWording() {
  const words = { say: useWordingTexts(), fault: useFaults(), problem: useProblems() }
  return (wording: Wording | null | undefined, said: string) => (wording && inWords(wording, words)) ?? said
}
