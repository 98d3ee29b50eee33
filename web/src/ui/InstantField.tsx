// An instant, chosen in the reader's language and time zone; kept as RFC 3339, empty when none is chosen.
import { getLocalTimeZone, parseAbsolute } from '@internationalized/date'
import { DateField, DateInput, DateSegment, Label, Text } from 'react-aria-components'
import styles from './Field.module.css'

interface InstantFieldProps {
  label: string
  description?: string
  value: string
  onChange: (at: string) => void
}

export function InstantField({ label, description, value, onChange }: InstantFieldProps) {
  const zone = getLocalTimeZone()
  return (
    <DateField
      className={styles.field}
      granularity="minute"
      hourCycle={24}
      hideTimeZone
      shouldForceLeadingZeros
      placeholderValue={parseAbsolute(new Date().toISOString(), zone)}
      value={Number.isNaN(Date.parse(value)) ? null : parseAbsolute(value, zone)}
      onChange={(at) => onChange(at ? at.toAbsoluteString().replace('.000Z', 'Z') : '')}
    >
      <Label className={styles.label}>{label}</Label>
      <DateInput className={styles.segments}>
        {(segment) => <DateSegment segment={segment} className={styles.segment} />}
      </DateInput>
      {description && (
        <Text slot="description" className={styles.description}>
          {description}
        </Text>
      )}
    </DateField>
  )
}
