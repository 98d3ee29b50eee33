// The server's problems in German: what failed, and what to do. In English they are shown as the server writes them,
// and so is in German what is not known here. Those of
// 401, 403 and 404 have words of their own in texts.ts.

export const GERMAN: Readonly<Record<string, readonly [failed: string, todo: string]>> = {
  'audit-not-written': [
    'Das Änderungsprotokoll lässt sich nicht schreiben. Es wurde nichts geändert.',
    'Sieh nach, ob die Platte des Servers voll ist, und versuche es noch einmal.',
  ],
  'bad-input': ['Der Server versteht die Anfrage nicht.', 'Berichtige, was er nennt:'],
  'event-bad-time': ['Eine Zeit lässt sich nicht lesen.', 'Schreibe Zeiten wie `2026-03-02T22:00:00Z`.'],
  'event-cloud-event-lacks': [
    'Dem CloudEvent fehlt ein Attribut.',
    'CloudEvents 1.0 verlangt `id`, `source` und `type`.',
  ],
  'event-identifiers-blocked': [
    'Keine Kennung des Ereignisses darf benutzt werden.',
    'Sende eine echte Kennung. Ist der Wert echt, sieh unter `blocked` in `identity.yaml` nach.',
  ],
  'event-no-group-id': ['Ein group-Aufruf ohne `groupId`.', 'Gib `groupId` mit.'],
  'event-no-name': ['Ein track-Aufruf ohne `event`.', 'Sage in `event`, was geschehen ist.'],
  'event-no-previous-id': ['Ein alias-Aufruf ohne `previousId`.', 'Gib in `previousId` die ältere Kennung mit.'],
  'event-no-type': [
    '`type` fehlt.',
    'Sage, welcher der sechs Aufrufe es ist: `track`, `identify`, `page`, `screen`, `group` oder `alias`.',
  ],
  'event-nobody': ['Niemand ist genannt.', 'Gib `userId`, `anonymousId` oder eine andere Kennung mit.'],
  'event-not-an-object': [
    'Ein Teil muss ein JSON-Objekt sein.',
    'Sende `properties`, `traits`, `context` und `data` als Objekte.',
  ],
  'event-not-json': ['Das ist kein JSON-Objekt.', 'Sende je Zeile oder Eintrag ein JSON-Objekt.'],
  'event-not-text': ['Eine Kennung oder ein Name ist weder Text noch Zahl.', 'Sende sie als Text.'],
  'event-refused': [
    'Kein Ereignis des Aufrufs konnte angenommen werden.',
    'Sieh die abgelehnten an, bring die Quelle in Ordnung, sende sie von dort noch einmal.',
  ],
  'event-reserved-name': [
    'Der Name des Ereignisses gehört dem Server.',
    'Gib ihm einen anderen, der nicht mit `faden.` beginnt.',
  ],
  'event-too-long': ['Ein Name oder eine Kennung ist zu lang.', 'Kürze auf höchstens 1.024 Bytes.'],
  'event-unknown-spec-version': ['Eine unbekannte Version von CloudEvents.', 'Sende `specversion` `1.0`.'],
  'event-unknown-type': [
    '`type` ist keiner der sechs Aufrufe.',
    'Es muss `track`, `identify`, `page`, `screen`, `group` oder `alias` sein, klein geschrieben.',
  ],
  'foreign-page': ['Die Anfrage kam von einer fremden Seite.', 'Öffne die Konsole unter ihrer eigenen Adresse.'],
  'idempotency-key-running': ['Dieselbe Anfrage läuft noch.', 'Warte einen Augenblick und versuche es noch einmal.'],
  'log-unreadable': [
    'Die Ereignisse dieser Person lassen sich nicht lesen.',
    'Versuche es noch einmal. Bleibt es dabei, prüfe mit `faden doctor` das Log.',
  ],
  'not-published': ['Es ist noch nichts veröffentlicht.', 'Veröffentliche zuerst die Definitionen.'],
  'not-ready': [
    'Der Server kann gerade nicht arbeiten.',
    'Er versucht es alle zwei Sekunden wieder. `/readyz` und `faden doctor` sagen, was ihm fehlt.',
  ],
  'own-key': [
    'Du kannst den Schlüssel nicht entfernen, mit dem du angemeldet bist.',
    'Melde dich mit einem anderen an.',
  ],
  'server-mistake': [
    'Der Server hat einen Fehler gemacht.',
    'Versuche es noch einmal. Geschieht es wieder, melde es mit der Nummer der Anfrage.',
  ],
  'server-overloaded': ['Der Server hat gerade zu viel zu tun.', 'Warte einen Augenblick und versuche es noch einmal.'],
  'too-large': ['Das ist zu groß.', 'Teile es auf.'],
  'unmerge-already-undone': ['Diese Zusammenführung ist schon zurückgenommen.', 'Lade die Seite neu.'],
  'unmerge-later-merge': [
    'Auf dieser Zusammenführung baut eine spätere auf.',
    'Nimm zuerst die spätere zurück; sie steht in der Liste weiter oben.',
  ],
  'workspace-has-errors': [
    'Die Definitionen haben Fehler und wurden nicht veröffentlicht.',
    'Berichtige die Stellen, die genannt sind, und veröffentliche noch einmal.',
  ],
  'workspace-outdated': [
    'Jemand anders hat inzwischen veröffentlicht. Es wurde nichts überschrieben.',
    'Vergleiche mit der neuen Fassung und veröffentliche noch einmal.',
  ],
}
