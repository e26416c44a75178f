import type { Faker } from '@faker-js/faker';

const makers = {
  firstName: (faker: Faker) => faker.person.firstName(),
  lastName: (faker: Faker) => faker.person.lastName(),
  fullName: (faker: Faker) => faker.person.fullName(),
  email: (faker: Faker) => faker.internet.exampleEmail(),
  userName: (faker: Faker) => faker.internet.username(),
  phone: (faker: Faker) => faker.phone.number(),
  street: (faker: Faker) => faker.location.streetAddress(),
  city: (faker: Faker) => faker.location.city(),
  postcode: (faker: Faker) => faker.location.zipCode(),
  country: (faker: Faker) => faker.location.country(),
  company: (faker: Faker) => faker.company.name(),
  jobTitle: (faker: Faker) => faker.person.jobTitle(),
  iban: (faker: Faker) => faker.finance.iban(),
} as const;

export type FakeKind = keyof typeof makers;
export const fakeKinds = Object.keys(makers) as readonly FakeKind[];

type FakerModule = typeof import('@faker-js/faker');
let library: FakerModule | null = null;

/** The library is large, so that only who uses it loads it. */
export async function loadFakes(): Promise<void> {
  library ??= await import('@faker-js/faker');
}

/** Invented data, always the same for the same digest. `loadFakes` comes first. */
export function fakeValue(kind: FakeKind): (digest: Buffer) => string {
  if (library === null) throw new RangeError('the library of fake data is not loaded');
  const { Faker, base, en } = library;
  const randomizer = new DigestRandomizer();
  const faker = new Faker({ locale: [en, base], randomizer });
  // A date of birth or the like would else depend on the clock.
  faker.setDefaultRefDate('2000-01-01T00:00:00Z');
  const make = makers[kind];
  return (digest) => {
    randomizer.start(digest);
    return make(faker);
  };
}

/** Random numbers out of a digest (sfc32): the library's own generator takes 200 microseconds to seed. */
class DigestRandomizer {
  readonly #state = new Uint32Array(4);

  start(digest: Buffer): void {
    for (let at = 0; at < 4; at++) this.#state[at] = digest.readUInt32LE(at * 4);
    for (let at = 0; at < 12; at++) this.next();
  }

  // Bound, since the library takes the method off the object.
  readonly next = (): number => {
    const [a = 0, b = 0, c = 0, counter = 0] = this.#state;
    const sum = (a + b + counter) | 0;
    this.#state[3] = counter + 1;
    this.#state[0] = b ^ (b >>> 9);
    this.#state[1] = (c + (c << 3)) | 0;
    this.#state[2] = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 4_294_967_296;
  };

  /** Part of the library's contract; `start` is the one that is used. */
  seed(): void {}
}
