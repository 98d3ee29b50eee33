// Every send and every non-send, newest first; what is filtered stands in the address.
import { MessageSquareText } from 'lucide-react'
import type { Channel, JourneySummary, Template } from '../../api/definitions.ts'
import { useList } from '../../api/hooks.ts'
import type { Message, MessageState } from '../../api/types.ts'
import { Failure } from '../../app/Loaded.tsx'
import { useNames } from '../../app/names.ts'
import { Filters } from '../../app/Page.tsx'
import { useRules } from '../../app/rules.ts'
import { StateOf } from '../../app/StateOf.tsx'
import { STATES, useAppTexts } from '../../app/texts.ts'
import { useTitles } from '../../app/titles.ts'
import { useSearchParam } from '../../app/url.ts'
import { Button } from '../../ui/Button.tsx'
import { Card } from '../../ui/Card.tsx'
import { join } from '../../ui/class.ts'
import { Empty } from '../../ui/Empty.tsx'
import { Select } from '../../ui/Select.tsx'
import { Skeleton } from '../../ui/Skeleton.tsx'
import { type Column, Table } from '../../ui/Table.tsx'
import { Time } from '../../ui/Time.tsx'
import styles from './messages.module.css'
import { useMessageTexts } from './texts.ts'

const REFRESH_MS = 5_000
const MESSAGE_STATES: MessageState[] = ['queued', 'sent', 'delivered', 'read', 'failed', 'suppressed', 'held']

/** Why it is as it is: the rule that stopped or holds it, or what the provider said. */
export function Reason({ message }: { message: Message }) {
  const t = useMessageTexts()
  const rules = useRules()
  const reason = message.rule ?? message.code
  if (!reason) return <span className="muted">–</span>
  return (
    <span className="two" title={reason}>
      <span className="clip">{rules.reason(reason)}</span>
      {message.until && (
        <span className="second">
          {t('until')} <Time at={message.until} show="absolute" />
        </span>
      )}
    </span>
  )
}

export function MessageList() {
  const t = useMessageTexts()
  const app = useAppTexts()
  const [state, setState] = useSearchParam('state')
  const [channel, setChannel] = useSearchParam('channel')
  const [journey, setJourney] = useSearchParam('journey')
  const [template, setTemplate] = useSearchParam('template')
  const [profile, setProfile] = useSearchParam('profile')
  const filters = { state, channel, journey, template, profile }
  const names = useNames()
  const list = useList<Message>('/messages', filters, { every: REFRESH_MS })
  const channels = useList<Channel>('/channels')
  const journeys = useList<JourneySummary>('/journeys')
  const templates = useList<Template>('/templates')
  const kinds = [...new Set(channels.items.map((each) => each.kind))]
  const filtered = Object.values(filters).some((value) => value !== '')
  const clear = () => {
    for (const set of [setState, setChannel, setJourney, setTemplate, setProfile]) set('')
  }
  const any = { value: '', label: app('all') }
  const named = (values: string[], chosen: string, label = (value: string) => value) =>
    [any].concat(
      (chosen && !values.includes(chosen) ? [...values, chosen] : values).map((value) => ({
        value,
        label: label(value),
      })),
    )
  return (
    <div className="stack">
      <Filters>
        <Select
          inline
          label={t('state')}
          value={state}
          onChange={setState}
          choices={[
            any,
            ...MESSAGE_STATES.map((each) => ({ value: each, label: app(STATES[each]?.text ?? 'queued') })),
          ]}
        />
        <Select
          inline
          label={t('channel')}
          value={channel}
          onChange={setChannel}
          choices={named(kinds, channel, names.channel)}
        />
        <Select
          inline
          label={t('journey')}
          value={journey}
          onChange={setJourney}
          choices={[any, ...journeys.items.map((each) => ({ value: each.journey, label: each.title }))]}
        />
        <Select
          inline
          label={t('template')}
          value={template}
          onChange={setTemplate}
          choices={named(
            templates.items.map((each) => each.template),
            template,
          )}
        />
        {profile && (
          <Button small onPress={() => setProfile('')}>
            {t('only_person', { person: profile })} ×
          </Button>
        )}
        {filtered && (
          <Button small look="quiet" onPress={clear}>
            {t('clear_filters')}
          </Button>
        )}
      </Filters>
      {list.error ? (
        <Failure error={list.error} onRetry={list.retry} />
      ) : list.loading ? (
        <Skeleton lines={8} />
      ) : list.items.length === 0 ? (
        <NoMessages filtered={filtered} />
      ) : (
        <Rows list={list.items} more={list.more} onEnd={list.loadMore} />
      )}
    </div>
  )
}

function NoMessages({ filtered }: { filtered: boolean }) {
  const t = useMessageTexts()
  if (filtered) return <Empty icon={<MessageSquareText />} title={t('none_match')} />
  return (
    <Empty
      icon={<MessageSquareText />}
      title={t('none_yet')}
      snippet={'  - id: hello\n    send: {template: hello, channels: [email]}\n'}
    >
      {t('none_yet_text')}
    </Empty>
  )
}

function Rows({ list, more, onEnd }: { list: readonly Message[]; more: boolean; onEnd: () => void }) {
  const t = useMessageTexts()
  const titles = useTitles()
  const rules = useRules()
  const names = useNames()
  const columns: Column<Message>[] = [
    {
      key: 'to',
      header: t('to'),
      width: 'minmax(11rem, 1.4fr)',
      narrow: 'minmax(0, 1fr)',
      cell: (row) => (
        <span className="two">
          <span className="clip">{row.user_id || row.profile}</span>
          {row.address ? (
            row.address !== row.user_id && <span className="second">{names.address(row.address)}</span>
          ) : (
            <span className={join('second', styles.narrowOnly)}>{rules.reason(row.rule ?? row.code ?? '')}</span>
          )}
        </span>
      ),
    },
    {
      key: 'state',
      header: t('state'),
      width: '8.5rem',
      narrow: '6.9rem',
      cell: (row) => <StateOf state={row.state} />,
    },
    {
      key: 'reason',
      header: t('reason'),
      width: 'minmax(10rem, 1.4fr)',
      narrow: false,
      cell: (row) => <Reason message={row} />,
    },
    {
      key: 'channel',
      header: t('channel'),
      width: '6rem',
      narrow: false,
      cell: (row) => (row.channel ? names.channel(row.channel) : <span className="muted">–</span>),
    },
    {
      key: 'template',
      header: t('template'),
      width: 'minmax(9rem, 1.2fr)',
      narrow: false,
      cell: (row) => (
        <span className="two">
          <span className="clip">{row.template}</span>
          <span className="second">{titles.journey(row.journey)}</span>
        </span>
      ),
    },
    {
      key: 'at',
      header: t('at'),
      width: '7rem',
      narrow: '3.8rem',
      align: 'right',
      cell: (row) => <Time at={row.at} />,
    },
  ]
  return (
    <Card flush>
      <Table
        main
        label={t('list_label')}
        columns={columns}
        rows={list}
        rowKey={(row) => row.id}
        rowHref={(row) => `/messages/${encodeURIComponent(row.id)}`}
        rowHeight={52}
        more={more}
        onEnd={onEnd}
      />
    </Card>
  )
}
