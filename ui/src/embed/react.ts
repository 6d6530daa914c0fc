/**
 * React as the hosts bring it along: 16.8 and newer. Only what is used here, so that no types of
 * one version are needed; React itself is never bundled.
 */

export interface Ref<T> {
  current: T | null;
}

export interface React {
  createElement(type: unknown, properties?: object | null, ...children: unknown[]): unknown;
  useRef<T>(first: T | null): Ref<T>;
  useState<T>(first: T): [T, (next: T) => void];
  useEffect(effect: () => void | (() => void), dependencies?: readonly unknown[]): void;
}
