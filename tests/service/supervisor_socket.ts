/**
 * A supervisor's end of sd_notify: prints each datagram that comes to the socket at its first argument as a line of JSON.
 *
 * A process of its own, because unix datagrams need a flag that the tests run without.
 */
interface DatagramSocket extends AsyncIterable<[Uint8Array, unknown]> {
  close(): void;
}
const { listenDatagram } = Deno as unknown as {
  listenDatagram(options: { transport: "unixpacket"; path: string }): DatagramSocket;
};

const socket = listenDatagram({ transport: "unixpacket", path: Deno.args[0].replace(/^@/, "\0") });
console.log(JSON.stringify("listening"));
for await (const [bytes] of socket) console.log(JSON.stringify(new TextDecoder().decode(bytes)));
