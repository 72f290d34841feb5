// Browsers say `[object HTMLDivElement]`; happy-dom writes the whole tree out as HTML. Popper asks every element at every update, which took 18 of the 20 seconds of the tests of the task list.
Element.prototype.toString = function named(this: Element): string {
  return `[object ${this.constructor.name}]`
}
