export { didYouMean, nearestName } from '../core/nearest-name.ts';
