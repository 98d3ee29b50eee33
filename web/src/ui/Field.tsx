// Fields with a label, a description and an error at the place.
import { Search, X } from 'lucide-react'
import type { ReactNode, Ref } from 'react'
import {
  Button as AriaButton,
  SearchField as AriaSearchField,
  type SearchFieldProps as AriaSearchFieldProps,
  TextField as AriaTextField,
  type TextFieldProps as AriaTextFieldProps,
  FieldError,
  Input,
  Label,
  Text,
  TextArea,
} from 'react-aria-components'
import { join } from './class.ts'
import styles from './Field.module.css'
import { useUiTexts } from './texts.ts'

interface TextFieldProps extends Omit<AriaTextFieldProps, 'className' | 'style' | 'children'> {
  label: string
  description?: ReactNode
  error?: string
  placeholder?: string
  /** More than 1: a text area of so many lines. */
  lines?: number
}

export function TextField({ label, description, error, placeholder, lines = 1, ...rest }: TextFieldProps) {
  return (
    <AriaTextField {...rest} isInvalid={!!error || rest.isInvalid} className={styles.field}>
      <Label className={styles.label}>{label}</Label>
      {lines > 1 ? (
        <TextArea className={join(styles.input, styles.area)} rows={lines} placeholder={placeholder} />
      ) : (
        <Input className={styles.input} placeholder={placeholder} />
      )}
      {description && (
        <Text slot="description" className={styles.description}>
          {description}
        </Text>
      )}
      <FieldError className={styles.error}>{error}</FieldError>
    </AriaTextField>
  )
}

interface SearchFieldProps extends Omit<AriaSearchFieldProps, 'className' | 'style' | 'children'> {
  label: string
  placeholder?: string
  ref?: Ref<HTMLInputElement>
  large?: boolean
}

/** Its label is for those who listen; the placeholder shows what can be searched. `/` jumps to it. */
export function SearchField({ label, placeholder, ref, large, ...rest }: SearchFieldProps) {
  const t = useUiTexts()
  return (
    <AriaSearchField {...rest} aria-label={label} className={join(styles.search, large && styles.large)}>
      <Search aria-hidden />
      <Input ref={ref} className={styles.searchInput} placeholder={placeholder ?? label} data-page-search="" />
      <AriaButton className={styles.clear} aria-label={t('clear')}>
        <X aria-hidden />
      </AriaButton>
    </AriaSearchField>
  )
}
