/**
 * Stands in for lit's decorators in the packages: whoever else has defined an element of the same
 * name in the host's page was first, and defining it again would throw.
 */

export { property } from "lit/decorators/property.js";
export { query } from "lit/decorators/query.js";
export { state } from "lit/decorators/state.js";

export function customElement(name: string): (type: CustomElementConstructor) => void {
  return (type) => {
    if (customElements.get(name) === undefined) {
      customElements.define(name, type);
    }
  };
}
