export const title: string = 'rendered'
