const lines = (names: string) => names.split(' ').map((name) => `${name} = `).join('\n')

/** The kinds of mirrors, with the names of the options that are needed. */
export const KINDS: Record<string, string> = {
  s3: lines('endpoint region bucket access_key_id secret_access_key'),
  webdav: lines('endpoint username password'),
  sftp: lines('host host_key username password'),
  fs: lines('root'),
  http: lines('url'),
  ftp: lines('endpoint user password'),
  azblob: lines('endpoint container account_name account_key'),
  gcs: lines('bucket credential'),
  b2: lines('bucket bucket_id application_key_id application_key'),
  swift: lines('endpoint container token'),
  dropbox: lines('access_token'),
  gdrive: lines('access_token'),
  onedrive: lines('access_token'),
}

/** The options in lines such as `bucket = backup`. Only the first `=` divides; those without a value are left out. */
export function optionsIn(typed: string): Record<string, string> {
  return Object.fromEntries(
    typed.split('\n').flatMap((line) => {
      const [, name, value] = /^\s*([a-z0-9_]+)\s*=\s*(.*?)\s*$/i.exec(line) ?? []
      return name && value ? [[name, value]] : []
    }),
  )
}
