/** The campus's learners: who learner number n is, derived from (seed, n) alone, so no list is kept in memory. */
import { hash, pickWeighted, runningSums } from './random.ts'

interface Culture {
  /** Given names of women, of men, and family names; `美咲=misaki` says how a name is written in ASCII. */
  readonly women: readonly string[]
  readonly men: readonly string[]
  readonly families: readonly string[]
}

interface Country {
  readonly code: string
  readonly regions: readonly string[]
  readonly utcOffsetMinutes: number
  readonly currency: string
  readonly culture: Culture
  /** Its share of the learners. */
  readonly weight: number
}

export interface Learner {
  readonly learnerId: string
  readonly firstName: string
  readonly lastName: string
  readonly email: string
  /** YYYY-MM-DD */
  readonly birthDate: string
  readonly gender: string
  readonly country: string
  readonly region: string
  readonly educationLevel: string
  readonly plan: string
}

export interface PersonalValue {
  readonly kind: 'learner_id' | 'name' | 'family_name' | 'email' | 'user_name' | 'birth_date'
  readonly value: string
}

const list = (names: string) => names.split(' ')

// No family name here is an instructor's (catalog.ts), and none is made of the letters a to f alone: a privacy
// search for them must not hit hexadecimal digests or the instructors, who stay readable.
const spanish: Culture = {
  women: list('Lucía Sofía Martina Inés Begoña Ximena Rocío Nuria'),
  men: list('José Andrés Joaquín Iván Ramón Íñigo Álvaro Sebastián'),
  families: list('García Núñez Ibáñez Peña Martínez Gutiérrez Muñoz Velázquez Quiñones Zúñiga Echeverría'),
}
const german: Culture = {
  women: list('Jürgena Käthe Sünje Liesl Annegret Brigitte Dörte Frauke'),
  men: list('Jürgen Jörg Götz Björn Matthäus Rüdiger Günther Sören'),
  families: list('Müller Schäfer Weiß Größner Köhler Krüger Jäger Schröder Böttcher Löwenstein Grünwald'),
}
const french: Culture = {
  women: list('Zoë Éloïse Anaïs Hélène Maëlle Océane Noémie Françoise'),
  men: list('François Théo Noël Jérôme Loïc Raphaël Gaël Benoît'),
  families: list(
    'Lefèvre Gérard Béranger Chrétien Château Lévêque Maréchal Rousseau Crêpin Guérin Desrochers',
  ),
}
const polish: Culture = {
  women: list('Małgorzata Żaneta Bożena Świętosława Łucja Zofia Grażyna Kinga'),
  men: list('Łukasz Paweł Michał Sławomir Zdzisław Wojciech Bronisław Krzysztof'),
  families: list(
    'Wójcik Łuczak Żak-Nowicki Błaszczyk Dąbrowski Gołębiewski Kaźmierczak Śliwiński Wróblewski Jędrzejczyk',
  ),
}
const nordic: Culture = {
  women: list('Åsa Maja Søs Jónína Signe Ålaug Freyja Solveig'),
  men: list('Håkon Øyvind Jörundur Åke Torbjörn Søren Þorsteinn=thorsteinn Ragnar'),
  families: list(
    'Sjöberg Ångström Østergaard Håkansson Gunnarsdóttir Nygård Lindström Sørensen Kjærsgaard Bjørnstad',
  ),
}
const turkish: Culture = {
  women: list('Ayşe Gülşah Çiğdem Özlem Şule Nilgün Tuğba Yıldız'),
  men: list('İbrahim Oğuz Çağlar Gökhan Şükrü Ümit Kıvanç Tuğrul'),
  families: list('Yıldırım Çelik Öztürk Şahinoğlu Doğanay Güneş Kılıçarslan Türkoğlu Yüksel Erdoğmuş'),
}
const vietnamese: Culture = {
  women: list('Thảo Hương Ngọc Quỳnh Phượng Tuyết Yến Hằng'),
  men: list('Đức Hùng Tuấn Quốc Vượng Phước Thịnh Trường'),
  families: list('Nguyễn Trần Phạm Huỳnh Hoàng Vũ-Quý Đặng-Lê Dương Nghiêm'),
}
const portuguese: Culture = {
  women: list('Conceição Inês Luísa Beatriz Júlia Antônia Graça Tatiana'),
  men: list('João Luís Antônio Gonçalo Sebastião Estêvão Tomás Simão'),
  families: list(
    'Gonçalves Magalhães Simões Araújo Conceição-Reis Assunção Guimarães Brandão Leitão Vasconcelos',
  ),
}
const japanese: Culture = {
  women: list('美咲=misaki 陽菜=hina 結衣=yui さくら=sakura 千尋=chihiro'),
  men: list('大翔=hiroto 健太=kenta 翔=sho 拓海=takumi 陸斗=rikuto'),
  families: list(
    '佐藤=satoh 鈴木=suzukawa 高橋=takahashi 渡辺=watanabe 小林=kobayashi 山口=yamaguchi 井上=inoue',
  ),
}
const arabic: Culture = {
  women: list('فاطمة=fatima ليلى=layla نور=nour مريم=maryam سلمى=salma'),
  men: list('محمد=mohammed يوسف=yousef خالد=khalid طارق=tariq سامي=sami'),
  families: list('الحسيني=alhusseini منصور=mansour العلي=alali خوري=khoury الزهراني=alzahrani نجار=najjar'),
}
const indian: Culture = {
  women: list('Priyanka Lakshmi अनन्या=ananya Kavitha Shreya दीपिका=deepika Meenakshi Roshni'),
  men: list('Arjun Vikram रोहन=rohan Sanjay Karthik आदित्य=aditya Harish Suresh'),
  families: list(
    'Krishnamurthy शर्मा=sharma Subramanian Chaudhary Mukherjee Venkatesan Bhattacharya Raghunathan Kulkarni',
  ),
}
const english: Culture = {
  women: list("Siobhán Margaret Charlotte Gwendolyn Niamh Olivia D'Arcy Imogen"),
  men: list('Oisín Theodore Malcolm Seán Harrison Winston Llewellyn Jonathan'),
  families: list(
    "O'Sullivan Whitmore Fitzgerald Hawthorne McKinley Ó-Murchú Thistlewood Worthington Smith-Jones Pemberton",
  ),
}
const nigerian: Culture = {
  women: list('Adaọbi Yẹwándé Chiamaka Folúkẹ́ Ngọzi Oluwaseun Titilayo'),
  men: list('Chukwuemeka Olúṣẹ́gun Babatunde Ifeanyi Ọbinna Tùndé Uchenna'),
  families: list('Okonkwo Adébáyò Olówóyẹyè Nwachukwu Ogúnbámbọ̀ Ezeigbo Ìdòwú'),
}

const countries: readonly Country[] = [
  country('US', 15, english, -360, 'USD', 'California Texas Ohio Oregon'),
  country('IN', 14, indian, 330, 'USD', 'Karnataka Maharashtra Kerala Delhi'),
  country('DE', 9, german, 60, 'EUR', 'Bayern Hessen Sachsen Thüringen'),
  country('FR', 8, french, 60, 'EUR', 'Île-de-France Bretagne Occitanie'),
  country('BR', 8, portuguese, -180, 'USD', 'Bahia Paraná Ceará Amazonas'),
  country('MX', 7, spanish, -360, 'USD', 'Jalisco Yucatán Oaxaca'),
  country('ES', 6, spanish, 60, 'EUR', 'Andalucía Galicia Aragón'),
  country('NG', 6, nigerian, 60, 'USD', 'Lagos Kano Enugu'),
  country('GB', 6, english, 0, 'GBP', 'England Scotland Wales'),
  country('PL', 5, polish, 60, 'EUR', 'Mazowieckie Śląskie Pomorskie'),
  country('EG', 5, arabic, 120, 'USD', 'Cairo Alexandria Giza'),
  country('TR', 4, turkish, 180, 'EUR', 'İstanbul Ankara İzmir'),
  country('VN', 4, vietnamese, 420, 'USD', 'Hà-Nội Huế Đà-Nẵng'),
  country('JP', 4, japanese, 540, 'USD', 'Tōkyō Ōsaka Hokkaidō'),
  country('SE', 3, nordic, 60, 'EUR', 'Skåne Västerbotten Gotland'),
  country('PT', 2, portuguese, 0, 'EUR', 'Lisboa Évora Porto'),
]
const countrySums = runningSums(countries.map((country) => country.weight))
const educationLevels = list(
  'secondary secondary bachelor bachelor bachelor master doctorate vocational',
).concat('')
const plans = ['free', 'free', 'free', 'monthly', 'yearly', 'campus']
// Reserved for examples by RFC 2606, so that no mail of a mistaken run ever reaches anybody.
const mailDomains = ['example.com', 'example.org', 'example.net', 'mail.example', 'students.campus.example']

// Streams of `hash`: each quality of a learner has its own.
const of = {
  id: 10,
  country: 11,
  region: 12,
  woman: 13,
  first: 14,
  last: 15,
  birth: 16,
  education: 17,
  plan: 18,
  mail: 19,
  ip: 20,
  quirk: 21,
}

/** `S0012345`: seven digits (eight from ten million learners on), all different, in no visible order. */
export function learnerId(seed: number, index: number): string {
  if (index >= 10_000_000) return `S${index + 10_000_000}`
  // 7,368,787 is prime to 10^7, so this is a permutation of the seven-digit numbers.
  const number = (index * 7_368_787 + (hash(seed, of.id, 0) % 10_000_000)) % 10_000_000
  return `S${String(number + 10_000_000).slice(1)}`
}

/** The learner with this number, as the rosters show them. `version` 0 is an earlier state (other home and plan). */
export function learnerAt(seed: number, index: number, version: 0 | 1 = 1): Learner {
  const country = countryOf(seed, index)
  const { woman, first, last } = namesOf(seed, index, country.culture)
  const quirk = hash(seed, of.quirk, index) % 1000
  const shift = version === 0 ? 1 : 0
  const local = `${ascii(first)}.${ascii(last)}${index.toString(36)}`
  const email = `${local}@${pick(mailDomains, hash(seed, of.mail, index))}`
  const birth = hash(seed, of.birth, index)
  const day = new Date(Date.UTC(1952 + (birth % 15) + ((birth >>> 8) % 42), 0, 1 + ((birth >>> 16) % 365)))
  return {
    learnerId: learnerId(seed, index),
    firstName: quirk < 4 ? `${shown(first)} "Max"` : shown(first),
    lastName: quirk > 995 ? `${shown(last)}, Jr.` : shown(last),
    email: quirk % 50 === 7 ? email.replace(/^./, (letter) => letter.toUpperCase()) : email,
    birthDate: day.toISOString().slice(0, 10),
    gender: quirk % 25 === 3 ? 'other' : quirk % 20 === 9 ? '' : woman ? 'female' : 'male',
    country: country.code,
    region: pick(country.regions, hash(seed, of.region, index) + shift),
    educationLevel: pick(educationLevels, hash(seed, of.education, index) + 3 * shift),
    plan: pick(plans, hash(seed, of.plan, index) + 3 * shift),
  }
}

/** As people log in: first letter, family name, and what makes it unique. ASCII. */
export function userName(seed: number, index: number): string {
  const { first, last } = namesOf(seed, index, countryOf(seed, index).culture)
  return `${ascii(first).slice(0, 1)}${ascii(last)}${index.toString(36)}`
}

/** An address of the learner's: IPv4 or IPv6 of the ranges reserved for tests and documentation; `place` 0, 1, …. */
export function ipAddress(seed: number, index: number, place: number): string {
  const bits = hash(seed, of.ip, index * 4 + place)
  if (bits % 4 === 0)
    return `2001:db8:${(bits >>> 16).toString(16)}:${((bits >>> 2) & 4095).toString(16)}::${place + 1}`
  return `198.${18 + ((bits >>> 8) & 1)}.${(bits >>> 9) & 255}.${1 + ((bits >>> 17) % 254)}`
}

export function utcOffsetSeconds(seed: number, index: number): number {
  return countryOf(seed, index).utcOffsetMinutes * 60
}

export function currencyOf(seed: number, index: number): string {
  return countryOf(seed, index).currency
}

/**
 * Personal values of `count` learners, none of which may be found after a load. All but the user names are in
 * `learners.csv` of every campus of this seed with at least `count` learners; a user name is in the events of
 * learners who have some.
 */
export function personalValues(seed: number, count: number): PersonalValue[] {
  return Array.from({ length: count }, (_, index) => {
    const learner = learnerAt(seed, index)
    return [
      { kind: 'learner_id', value: learner.learnerId },
      { kind: 'name', value: `${learner.firstName} ${learner.lastName}` },
      { kind: 'family_name', value: learner.lastName },
      { kind: 'email', value: learner.email },
      { kind: 'user_name', value: userName(seed, index) },
      { kind: 'birth_date', value: learner.birthDate },
    ] satisfies PersonalValue[]
  }).flat()
}

function countryOf(seed: number, index: number): Country {
  const point = hash(seed, of.country, index) % (countrySums.at(-1) as number)
  return countries[pickWeighted(countrySums, point)] as Country
}

function country(
  code: string,
  weight: number,
  culture: Culture,
  utcOffsetMinutes: number,
  currency: string,
  regions: string,
): Country {
  return { code, weight, culture, utcOffsetMinutes, currency, regions: list(regions) }
}

function namesOf(seed: number, index: number, culture: Culture) {
  const woman = hash(seed, of.woman, index) % 100 < 52
  const first = pick(woman ? culture.women : culture.men, hash(seed, of.first, index))
  return { woman, first, last: pick(culture.families, hash(seed, of.last, index)) }
}

function pick<T>(items: readonly T[], bits: number): T {
  return items[bits % items.length] as T
}

const shown = (name: string) => name.split('=')[0] as string

const asciiForms = new Map<string, string>()

/** A name in a-z, as in an e-mail address. Letters that do not decompose in Unicode are spelled out. */
function ascii(name: string): string {
  const known = asciiForms.get(name)
  if (known !== undefined) return known
  const spelled: Record<string, string> = {
    ł: 'l',
    ø: 'o',
    ß: 'ss',
    đ: 'd',
    ı: 'i',
    å: 'a',
    æ: 'ae',
    þ: 'th',
  }
  const form = (name.split('=')[1] ?? name)
    .toLowerCase()
    .replace(/[łøßđıåæþ]/g, (letter) => spelled[letter] as string)
    .normalize('NFD')
    .replace(/[^a-z]/g, '')
  asciiForms.set(name, form)
  return form
}
