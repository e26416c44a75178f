/** MySQL's names of languages in collations of Unicode 9, and MariaDB's of Unicode 14. */
const languages: Readonly<Record<string, string>> = {
  ...{
    cs: 'czech',
    da: 'danish',
    de_pb: 'german2',
    eo: 'esperanto',
    es: 'spanish',
    es_trad: 'spanish2',
    et: 'estonian',
  },
  ...{ hr: 'croatian', hu: 'hungarian', is: 'icelandic', la: 'roman', lt: 'lithuanian', lv: 'latvian', pl: 'polish' },
  ...{ ro: 'romanian', sk: 'slovak', sl: 'slovenian', sv: 'swedish', tr: 'turkish', vi: 'vietnamese' },
};

export interface CarriedCollation {
  readonly name: string;
  /** It orders and compares every text as the source's does. */
  readonly isSame: boolean;
}

/** The other vendor's collation for one of MySQL's or MariaDB's: the same where it has it, else the nearest. */
export function collationFor(name: string, vendor: 'mysql' | 'mariadb'): CarriedCollation {
  return vendor === 'mariadb' ? forMariadb(name) : forMysql(name);
}

/** Of Unicode: what MySQL calls `croatian` MariaDB has under another name, and orders by rules of its own under that one. */
const croatian = /^(utf8mb[34]|utf8|ucs2|utf16|utf32)_croatian(_mysql561)?_ci$/;

function forMariadb(name: string): CarriedCollation {
  const ofMysql = croatian.exec(name);
  if (ofMysql !== null && ofMysql[2] === undefined)
    return { name: `${ofMysql[1]}_croatian_mysql561_ci`, isSame: false };
  if (name === 'utf8mb4_0900_bin') return { name: 'utf8mb4_nopad_bin', isSame: true };
  const found = /^utf8mb4_(?:(\w+?)_)?0900_(\w+)$/.exec(name);
  if (found === null) return { name, isSame: true };
  const [, language, senses = ''] = found;
  const known = language === undefined ? '' : languages[language];
  return { name: `utf8mb4_uca1400_${known ? `${known}_` : ''}nopad_${withoutKana(senses)}`, isSame: false };
}

/** Of Japanese: MariaDB's do not tell the two alphabets apart. */
function withoutKana(senses: string): string {
  return senses.replace(/_ks$/, '');
}

const mysqlLanguages = new Map(Object.entries(languages).map(([mysql, mariadb]) => [mariadb, mysql]));

function forMysql(name: string): CarriedCollation {
  const ofMariadb = croatian.exec(name);
  if (ofMariadb !== null) return { name: `${ofMariadb[1]}_croatian_ci`, isSame: false };
  if (name === 'utf8mb4_nopad_bin') return { name: 'utf8mb4_0900_bin', isSame: true };
  const found = /^(\w+?)_uca1400_(?:(?!nopad_|a[is]_)(\w+?)_)?(?:nopad_)?(a[is]_c[is])$/.exec(name);
  if (found !== null) {
    const [, charset = '', language, senses = ''] = found;
    if (charset !== 'utf8mb4') return { name: `${charset}_unicode_520_ci`, isSame: false };
    const known = language === undefined ? undefined : mysqlLanguages.get(language);
    // Of a language MySQL has both or none; there is none that tells case and not accents.
    if (known !== undefined)
      return { name: `utf8mb4_${known}_0900_${senses === 'ai_ci' ? 'ai_ci' : 'as_cs'}`, isSame: false };
    return { name: `utf8mb4_0900_${senses === 'ai_cs' ? 'as_cs' : senses}`, isSame: false };
  }
  return /_nopad_/.test(name) ? { name: name.replace('_nopad_', '_'), isSame: false } : { name, isSame: true };
}
