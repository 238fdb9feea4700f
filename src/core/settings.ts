/** What of a file's settings changes when it is read anew; links are no settings, a plan has them. */

/** A setting that means something else than before. */
export interface SettingChange {
  readonly key: string;
  readonly from: string;
  readonly to: string;
}

/** Settings by key, each as the file would have it. */
export type SettingTexts = Readonly<Record<string, string>>;

/** What differs, in the order of `to`, those that are gone last. */
export function settingChanges(from: SettingTexts, to: SettingTexts): SettingChange[] {
  return Object.keys({ ...to, ...from })
    .map((key) => ({ key, from: from[key] ?? "none", to: to[key] ?? "none" }))
    .filter((change) => change.from !== change.to);
}

/** `limits.per_address: 256 → 64`. */
export function printSetting({ key, from, to }: SettingChange): string {
  return `${key}: ${from} → ${to}`;
}
