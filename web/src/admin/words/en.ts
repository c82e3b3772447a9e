/** The words of the administration. */
export const admin = {}
