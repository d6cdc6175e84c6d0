import type { Turn } from '../conversation/types.js'
import { AnswerView } from './answer.js'
import { ObservationView } from './observation.js'
import { QuestionView } from './question.js'

interface TurnProps {
  readonly turn: Turn
  readonly isLast: boolean
}

export function TurnView({ turn, isLast }: TurnProps) {
  const { content } = turn
  if (content.kind === 'question') return <QuestionView turn={turn} question={content} />
  if (content.kind === 'answer') return <AnswerView turn={turn} answer={content} isLast={isLast} />
  return <ObservationView observation={content} />
}
