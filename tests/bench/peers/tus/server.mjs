// A server for tus uploads as its packages make it, on a plain folder or, if S3_ENDPOINT is set, on an S3 server:
// node server.mjs PORT FOLDER
import { FileStore } from "@tus/file-store";
import { S3Store } from "@tus/s3-store";
import { Server } from "@tus/server";

const [port, directory] = process.argv.slice(2);
const { S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY, S3_SECRET_KEY } = process.env;

const onS3 = () =>
  new S3Store({
    // Neither tags nor checksums in trailers are known to every S3 server.
    useTags: false,
    s3ClientConfig: {
      bucket: S3_BUCKET,
      endpoint: S3_ENDPOINT,
      region: "us-east-1",
      forcePathStyle: true,
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      credentials: { accessKeyId: S3_ACCESS_KEY, secretAccessKey: S3_SECRET_KEY },
    },
  });

const server = new Server({ path: "/files", datastore: S3_ENDPOINT ? onS3() : new FileStore({ directory }) });
server.listen({ host: "127.0.0.1", port: Number(port) });
