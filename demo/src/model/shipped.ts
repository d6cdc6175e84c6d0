/** The model that is part of the page, and its prefixes, each a folder of its name. */
const FOLDER = 'models/tiny/'

export const SHIPPED_PREFIXES = ['poem', 'json']

/** What the prefixes were trained to answer, each in its way; the model alone answers with advertising copy. */
export const SHIPPED_QUESTION = '类型#裙*颜色#红色*风格#简约*图案#碎花*裙长#中长款'

export const shippedModelUrl = () => new URL(FOLDER, document.baseURI)

export const shippedPrefixUrl = (name: string) => new URL(`${FOLDER}prefixes/${name}/`, document.baseURI)
