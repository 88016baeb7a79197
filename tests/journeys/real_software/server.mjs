// A small server on Node's own http module; prints its port once it listens.
import { createServer } from "node:http";

const server = createServer((request, answer) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    if (request.url === "/hints") {
      answer.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" });
      answer.end("hinted");
    } else if (request.url === "/trailers") {
      answer.writeHead(200, { Trailer: "X-Sum" });
      answer.write("in ");
      answer.addTrailers({ "X-Sum": "7" });
      answer.end("chunks");
    } else {
      answer.writeHead(200, { "Content-Type": request.headers["content-type"] ?? "text/plain" });
      answer.end(body);
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
