/** The proleptic Gregorian calendar. Years are astronomical: 0 is 1 BC. Days count from 2000-01-01. */
export interface CivilDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

/** Days from 0000-03-01 to 2000-01-01. */
const daysToEpoch = 730_425;
const daysOf400Years = 146_097;

export function daysFromCivil(year: number, month: number, day: number): number {
  // Years from March on, so that the leap day is the last one.
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * daysOf400Years + dayOfEra - daysToEpoch;
}

export function civilFromDays(days: number): CivilDate {
  const z = days + daysToEpoch;
  const era = Math.floor(z / daysOf400Years);
  const dayOfEra = z - era * daysOf400Years;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1,
  };
}

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** 0 is Sunday. */
export function dayOfWeek(days: number): number {
  // 2000-01-01 was a Saturday.
  return (((days + 6) % 7) + 7) % 7;
}

/** The year and week of ISO 8601: weeks start on Monday, and the first one has the year's first Thursday. */
export function isoWeek(days: number): { readonly year: number; readonly week: number; readonly monday: number } {
  const monday = days - ((dayOfWeek(days) + 6) % 7);
  const { year } = civilFromDays(monday + 3);
  const firstThursday = daysFromCivil(year, 1, 4);
  const firstMonday = firstThursday - ((dayOfWeek(firstThursday) + 6) % 7);
  return { year, week: (monday - firstMonday) / 7 + 1, monday };
}
