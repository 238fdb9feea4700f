/** Debian's apache2 as a process of its own: files, and WebDAV (mod_dav) on them. */
import { accepting, freePort, type Rig } from "../e2e/rig.ts";

const MODULES = "mpm_event authz_core alias dav dav_fs dir mime deflate filter headers setenvif env expires"
  .split(" ");

/** Starts it over `${rig.folder}/apache/files`; returns its port. */
export async function apache(rig: Rig, program: string): Promise<number> {
  const folder = `${rig.folder}/apache`, port = freePort();
  for (const name of ["", "/files", "/state"]) Deno.mkdirSync(folder + name);
  // Workers of a root-started apache are another user.
  Deno.chmodSync(rig.folder, 0o755);
  for (const name of ["/files", "/state"]) Deno.chmodSync(folder + name, 0o777);
  const config = rig.file(
    "apache.conf",
    `ServerRoot ${folder}
PidFile ${folder}/pid
ErrorLog ${folder}/error.log
Listen 127.0.0.1:${port}
${MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
${Deno.uid() === 0 ? "User nobody\nGroup nogroup" : ""}
ServerName localhost
TypesConfig /dev/null
AddType text/plain .txt
DavLockDB ${folder}/state/locks
# So that files of two runs have the same.
FileETag Size
AddOutputFilterByType DEFLATE text/plain
<VirtualHost *:${port}>
ServerName localhost
ServerAlias *.localhost 127.0.0.2
DocumentRoot ${folder}/files
Redirect 301 /old http://elsewhere.example/new
<Directory ${folder}/files>
Require all granted
Dav on
DavDepthInfinity on
</Directory>
</VirtualHost>
`,
  );
  // In one process: its end is the end of all.
  rig.spawn(program, ["-f", config, "-X"]);
  await accepting(port);
  return port;
}
