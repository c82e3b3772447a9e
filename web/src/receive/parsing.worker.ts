import { parse } from './parsing'

onmessage = ({ data: { text, language } }: MessageEvent<{ text: string; language: string }>) => {
  try {
    postMessage(parse(text, language))
  } catch {
    // Some texts are made for the libraries to run out of their stack.
    postMessage(null)
  }
}
