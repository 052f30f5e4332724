import { redisLock } from '@escapement/redis-lock'

export const make = ({ clients, namespace }) => redisLock({ clients, namespace, guard: false })
