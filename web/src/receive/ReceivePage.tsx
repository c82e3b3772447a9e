export default function ReceivePage({ code }: { code: string }) {
  return <main className="column">{code}</main>
}
