export const params = {
  way: 'How to enter the parameters', form: 'Form', yes: 'Yes', no: 'No', preset: 'default: {value}', others: 'Also set, not part of the form: {names}', noObject: 'This is not a JSON object. The handler expects one, and the form can show it then.',
  anyway: 'Run all the same', wouldRefuse: 'The handler would refuse these parameters, and the run would fail.',
  problems: {
    required: 'Required.', wrongType: 'The value is of another type than the handler expects.', notWhole: 'A whole number is expected.', tooSmall: 'At least {n}.', tooLarge: 'At most {n}.', tooShort: 'At least {n} characters.', tooLong: 'At most {n} characters.',
    badForm: 'Does not match {pattern}.', notOneOf: 'One of: {options}.', badJson: 'This is not valid JSON.', unknown: 'The handler does not know: {names}.',
  },
}
