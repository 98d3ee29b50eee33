// A template as a person would receive it, on one channel and in one language.
import { useQuery } from '@tanstack/react-query'
import { post } from '../../api/client.ts'
import type { TemplatePreview } from '../../api/definitions.ts'
import { Loaded } from '../../app/Loaded.tsx'
import { HtmlPreview } from '../../ui/HtmlPreview.tsx'
import styles from './messages.module.css'
import { useMessageTexts } from './texts.ts'

interface PreviewProps {
  template: string
  channel: string
  /** Empty: the person's. */
  language: string
  profile: string
}

export function Preview({ template, channel, language, profile }: PreviewProps) {
  const t = useMessageTexts()
  const preview = useQuery({
    queryKey: ['/templates/preview', template, channel, language, profile],
    queryFn: () =>
      post<TemplatePreview>(`/templates/${encodeURIComponent(template)}/preview`, {
        channel,
        ...(language && { language }),
        ...(profile && { profile }),
      }),
    enabled: template !== '' && channel !== '',
  })
  if (channel === '') return <p className="soft">{t('no_channel')}</p>
  return (
    <Loaded query={preview} lines={6}>
      {(data) => (
        <div className="stack tight">
          {(data.subject ?? data.title) && (
            <p className={styles.subject}>
              <span className="muted">{data.subject !== null ? t('subject') : t('title')}</span>{' '}
              {data.subject ?? data.title}
            </p>
          )}
          {data.html ? (
            <HtmlPreview html={data.html} label={t('preview_of', { template, channel })} />
          ) : (
            <p className={channel === 'email' ? styles.plain : styles.bubble}>{data.text}</p>
          )}
          {data.html && (
            <details className={styles.details}>
              <summary>{t('as_text')}</summary>
              <p className={styles.plain}>{data.text}</p>
            </details>
          )}
        </div>
      )}
    </Loaded>
  )
}
