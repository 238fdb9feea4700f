/** Parts of requests that are legal and odd: a target is to see them as they were sent. */

/** Registered ones (RFC 9110, 4918, 3253, 3648, 3744, 5323, 5842, 10008 …) and one that nobody knows. */
export const METHODS = [
  ..."GET HEAD POST PUT DELETE PATCH OPTIONS PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT QUERY SEARCH ACL"
    .split(" "),
  ..."BASELINE-CONTROL BIND CHECKIN CHECKOUT LABEL LINK MERGE MKACTIVITY MKCALENDAR MKREDIRECTREF MKWORKSPACE"
    .split(" "),
  ..."ORDERPATCH PURGE REBIND UNBIND UNCHECKOUT UNLINK UPDATE UPDATEREDIRECTREF VERSION-CONTROL M-SEARCH X1"
    .split(" "),
];

export const TARGETS = [
  "/?",
  "/??",
  "/a?b?c",
  "/a/../b/./c",
  "//a//b//",
  '/%7e//a;b=c;d?x=[]|^`{}"<>\\',
  "/%2F%2e%2E%00%0d%0a",
  "/a%zz%",
  "/~!$&'()*+,;=:@",
  "/http://other.example/x",
  "/*",
  "/a\\b",
  "/?q=%F0%9F%98%80&q=&&=",
  `/${"long/".repeat(3270)}`,
  `/?${"q".repeat(16_300)}`,
];

export const FIELDS: readonly (readonly [string, readonly string[]])[] = [
  ["duplicates stay apart and in order", ["X-A: 1", "X-B: 2", "X-A: 3", "x-a: 1", "X-A: 3"]],
  ["cookies of several lines", ["Cookie: a=1; b=2", "cookie: c=3", 'Cookie: d="4"']],
  ["names in every case", [
    "x-lower: 1",
    "X-UPPER: 2",
    "x-MiXeD: 3",
    "HOST-x: 4",
    "aCCEPT: */*",
    "User-Agent: Mozilla/5.0 (X11)",
  ]],
  ["white space in and around values", [
    "X-Tight:1",
    "X-Wide:    2   ",
    "X-Tab:\t3\t",
    "X-In:  a \t b  ",
    "X-Empty:",
    "X-Blank:   ",
  ]],
  ["obs-text", ["X-Latin: caf\xe9 \x80\xff", "X-UTF-8: \xf0\x9f\x98\x80", "Referer: /\xe4"]],
  ["names of every token character", ["!#$%&'*+-.^_`|~09Az: 1", "_: 2", "0: 3"]],
  ["values that look like more", [
    "X-A: b: c: d",
    "X-Comma: a,,b, ,",
    'X-Quote: "a\\"b',
    "X-Semi: ;;=",
    "X-Host: other.example",
  ]],
  ["what asks for a part, or a condition", [
    "Range: bytes=0-4,6-",
    'If-Range: "x"',
    'If-None-Match: W/"a", "b"',
    "If-Match: *",
    "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
  ]],
  ["what browsers and caches add", [
    "Origin: http://{host}",
    "Sec-Fetch-Site: none",
    "Cache-Control: no-cache",
    "Pragma: no-cache",
    "Upgrade-Insecure-Requests: 1",
    "DNT: 1",
    "Via: 1.1 other",
    "Max-Forwards: 3",
    "Accept-Encoding: gzip, br, zstd",
    "Priority: u=0, i",
    "Traceparent: 00-1-2-01",
  ]],
  ["credentials that no link asked for", ["Authorization: Basic YTpi", "X-Api-Key: k"]],
  ["hop-by-hop fields go, and what Connection names", [
    "Connection: keep-alive, X-Mine ,  x-other",
    "Keep-Alive: timeout=5",
    "X-Mine: 1",
    "X-Other: 2",
    "X-Mine-Not: 3",
    "Proxy-Connection: keep-alive",
    "Proxy-Authorization: Basic YTpi",
    "Proxy: http://x",
    "TE: gzip",
    "Connection: x-last",
    "X-Last: 4",
  ]],
  ["TE goes but for trailers", ["TE: deflate;q=0.5, trailers", "Connection: TE"]],
  ["Connection does not take what the link goes by", [
    "Connection: Host, Authorization, X-Original-URL, CDN-Loop",
    "Authorization: Bearer t",
    "X-Original-URL: /x",
    "CDN-Loop: other;v=1",
  ]],
  ["a WebSocket, which the target may have none of", [
    "Connection: keep-alive, Upgrade",
    "Upgrade: WebSocket",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Version: 13",
  ]],
  ["an upgrade that no link admits is none", [
    "Connection: Upgrade, HTTP2-Settings",
    "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAAQ",
  ]],
  ["what a visitor says about its way is not believed", [
    "X-Forwarded-For: 1.2.3.4",
    "x_forwarded_for: 1.2.3.4",
    "X-Forwarded-Anything: x",
    "Forwarded: for=1.2.3.4",
    "X-Real-IP: 1.2.3.4",
    "True-Client-IP: 1.2.3.4",
    "CF-Connecting-IP: 1.2.3.4",
    "cf_ray: 1",
    "Transfer_Encoding: chunked",
    "Content_Length: 5",
  ]],
  ["methods and URLs in fields, where the policy is about neither", [
    "X-HTTP-Method-Override: DELETE",
    "X-Rewrite-URL: /x",
  ]],
  ["another's loop", ['CDN-Loop: other; a="b"', "CDN-Loop: connectd;l=0123456789abcdef"]],
  ["as many fields as may be", Array.from({ length: 99 }, (_, i) => `X-${i}: ${i}`)],
  ["a field as long as a head may be", [`X-Long: ${"v".repeat(65_000)}`]],
  ["many long fields", Array.from({ length: 60 }, (_, i) => `X-${i}: ${"v".repeat(1000)}`)],
];

const ZERO_TO_FF = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join("");
const LARGE = ZERO_TO_FF.repeat(8 * 1024);

const SMUGGLED = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

export const BODIES: readonly (readonly [string, string])[] = [
  ["none", "\r\n"],
  ["Content-Length: 0", "Content-Length: 0\r\n\r\n"],
  ["a Content-Length with zeros before", "Content-Length: 0005\r\n\r\nabcde"],
  ["every octet", `Content-Length: 256\r\nContent-Type: application/octet-stream\r\n\r\n${ZERO_TO_FF}`],
  ["a body that looks like a request", `Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`],
  ["2 MiB with Content-Length", `Content-Length: ${LARGE.length}\r\n\r\n${LARGE}`],
  [
    "2 MiB in a chunk",
    `Transfer-Encoding: chunked\r\n\r\n${LARGE.length.toString(16)}\r\n${LARGE}\r\n0\r\n\r\n`,
  ],
  ["no chunk", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["chunks of an octet", `Transfer-Encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(500)}0\r\n\r\n`],
  ["chunk extensions", 'Transfer-Encoding: chunked\r\n\r\n003;a;b=c;d="e;f"\r\nabc\r\n000;last\r\n\r\n'],
  [
    "trailers",
    "Trailer: X-Sum, x-Other\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 1\r\nx-Other:  2 \r\nX-Sum: caf\xe9\r\n\r\n",
  ],
  ["trailers without data", "TE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 0\r\n\r\n"],
];
