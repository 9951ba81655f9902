// Answers a request over wasi:http; a POST is given back.
addEventListener("fetch", (event) => event.respondWith(answer(event.request)));

async function answer(request) {
  const { pathname } = new URL(request.url);
  const headers = { "content-type": "text/plain", "x-guest": "js" };
  if (request.method === "POST") return new Response(await request.text(), { headers });
  return new Response(`Hello from JavaScript at ${pathname}\n`, { headers });
}
