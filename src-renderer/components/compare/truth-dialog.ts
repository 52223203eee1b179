import { ref } from 'vue'

/** The picture whose truth is looked at and drawn; null: none. */
export const truthShown = ref<string | null>(null)
