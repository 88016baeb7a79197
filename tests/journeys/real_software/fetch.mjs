// Node's own fetch, one request per line of standard input, one answer per line of output.
import { createInterface } from "node:readline";

function bodyOf(ask) {
  const bytes = (text) => Buffer.from(text, "base64");
  if (ask.json !== null) return JSON.stringify(ask.json);
  if (ask.form !== null) return new URLSearchParams(ask.form);
  if (ask.body !== null) return bytes(ask.body);
  if (ask.file !== null) {
    const form = new FormData();
    form.append("file", new Blob([bytes(ask.file)]), "notes.txt");
    return form;
  }
  if (ask.chunks.length === 0) return undefined;
  return new ReadableStream({
    start(controller) {
      for (const chunk of ask.chunks) controller.enqueue(bytes(chunk));
      controller.close();
    },
  });
}

async function send(ask) {
  const headers = { ...ask.headers };
  if (ask.json !== null) headers["content-type"] = "application/json";
  const answer = await fetch(ask.url, {
    method: ask.method, headers, body: bodyOf(ask), redirect: "manual", duplex: "half",
  });
  const body = Buffer.from(await answer.arrayBuffer()).toString("base64");
  return { status: answer.status, headers: [...answer.headers], body };
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await send(JSON.parse(line)).catch((error) => ({ failed: `${error.cause ?? error}` }));
  console.log(JSON.stringify(answer));
}
