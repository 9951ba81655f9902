// Fetches the URL after the first slash of the path and says what came of it.
addEventListener("fetch", (event) => event.respondWith(answer(event.request)));

async function answer(request) {
  const { pathname, search } = new URL(request.url);
  const target = pathname.slice(1) + search;
  try {
    const reply = await fetch(target);
    return new Response(`${target} answered ${reply.status}: ${await reply.text()}`);
  } catch (refusal) {
    return new Response(`${target} was refused\n`, { status: 502 });
  }
}
