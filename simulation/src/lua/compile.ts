/**
 * Compiles the Lua of Redis scripts to JavaScript. Numbers are doubles in both (Lua 5.1), and a script runs some thirty
 * times faster than in a Lua machine that is written in JavaScript. What a script uses and this does not know is an
 * error when it is compiled, so that nothing differs in silence.
 */
import { type Chunk, type Expression, type Identifier, parse, type Statement } from 'luaparse'
import * as library from './library.ts'

type Names = Map<string, string>

/** What scripts find under `redis`; 7.0.15 as a number. */
const REDIS: Readonly<Record<string, string>> = {
  call: 'redisCall',
  pcall: 'lib.protect(redisCall)',
  REDIS_VERSION_NUM: String(0x07000f),
}

/** A compiled script: called with `KEYS`, `ARGV` and `redis.call`, it gives what it returns. */
export type Compiled = (
  keys: library.Table,
  argv: library.Table,
  call: (...args: never[]) => unknown,
) => unknown

export function compile(source: string): Compiled {
  const chunk = parse(source, { luaVersion: '5.1', comments: false, encodingMode: 'pseudo-latin1' }) as Chunk
  const compiler = new Compiler()
  const code = compiler.chunk(chunk)
  // oxlint-disable-next-line typescript/no-implied-eval -- it compiles, and what it compiles is ours
  return new Function('lib', `'use strict'; return function (KEYS, ARGV, redisCall) { ${code} }`)(
    library,
  ) as Compiled
}

class Compiler {
  #scopes: Names[] = []
  #temps: string[][] = []
  #serial = 0

  chunk({ body }: Chunk): string {
    this.#temps.push([])
    const code = this.#block(body)
    return this.#declareTemps() + code
  }

  #block(body: readonly Statement[]): string {
    this.#scopes.push(new Map())
    const code = body.map((statement) => this.#statement(statement)).join('\n')
    this.#scopes.pop()
    return `${code}\n`
  }

  #fresh(name: string): string {
    return `${name}$${++this.#serial}`
  }

  #declare(name: string): string {
    const fresh = this.#fresh(name)
    ;(this.#scopes.at(-1) as Names).set(name, fresh)
    return fresh
  }

  #temp(): string {
    const name = `t$${++this.#serial}`
    ;(this.#temps.at(-1) as string[]).push(name)
    return name
  }

  #declareTemps(): string {
    const temps = this.#temps.pop() as string[]
    return temps.length > 0 ? `let ${temps.join(', ')};\n` : ''
  }

  #resolve(name: string): string | undefined {
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const found = (this.#scopes[i] as Names).get(name)
      if (found) return found
    }
  }

  #statement(node: Statement): string {
    switch (node.type) {
      case 'LocalStatement': {
        // The values are read before the names are there: `local x = x`.
        const values = this.#values(node.init, node.variables.length)
        const names = node.variables.map(({ name }) => this.#declare(name))
        if (typeof values !== 'string')
          return names.map((name, i) => `let ${name} = ${values[i] ?? 'undefined'};`).join(' ')
        return `let [${names.join(', ')}] = ${values};`
      }
      case 'AssignmentStatement': {
        const values = this.#values(node.init, node.variables.length)
        if (typeof values !== 'string' && node.variables.length === 1)
          return this.#assign(node.variables[0] as Expression, values[0] as string)
        const t = this.#temp()
        const list = typeof values === 'string' ? values : `[${values.join(', ')}]`
        return `${t} = ${list}; ${node.variables.map((variable, i) => this.#assign(variable, `${t}[${i}]`)).join(' ')}`
      }
      case 'CallStatement':
        return `${this.#expression(node.expression)};`
      case 'ReturnStatement':
        if (node.arguments.length === 0) return 'return;'
        if (node.arguments.length === 1) return `return ${this.#expression(node.arguments[0] as Expression)};`
        return `return [${this.#list(node.arguments)}];`
      case 'IfStatement':
        return node.clauses
          .map((clause, i) => {
            const body = `{ ${this.#block(clause.body)} }`
            if (clause.type === 'ElseClause') return `else ${body}`
            return `${i > 0 ? 'else ' : ''}if (${this.#test(clause.condition)}) ${body}`
          })
          .join(' ')
      case 'WhileStatement':
        return `while (${this.#test(node.condition)}) { ${this.#block(node.body)} }`
      case 'BreakStatement':
        return 'break;'
      case 'DoStatement':
        return `{ ${this.#block(node.body)} }`
      case 'ForNumericStatement': {
        const [start, end, step] = [node.start, node.end, node.step].map((part) =>
          part ? `lib.num(${this.#single(part)})` : '1',
        )
        const [i, last, by] = [this.#fresh('i'), this.#fresh('last'), this.#fresh('by')]
        this.#scopes.push(new Map())
        const name = this.#declare(node.variable.name)
        const body = this.#block(node.body)
        this.#scopes.pop()
        return `for (let ${i} = ${start}, ${last} = ${end}, ${by} = ${step}; ${by} > 0 ? ${i} <= ${last} : ${i} >= ${last}; ${i} += ${by}) { let ${name} = ${i}; ${body} }`
      }
      case 'ForGenericStatement': {
        if (node.iterators.length !== 1) throw this.#unknown('several iterators')
        const over = this.#single(node.iterators[0] as Expression, false)
        this.#scopes.push(new Map())
        const names = node.variables.map(({ name }) => this.#declare(name))
        const body = this.#block(node.body)
        this.#scopes.pop()
        return `for (let [${names.join(', ')}] of ${over}) { ${body} }`
      }
      case 'FunctionDeclaration': {
        if (!node.isLocal || node.identifier?.type !== 'Identifier') throw this.#unknown('a global function')
        const name = this.#declare(node.identifier.name)
        return `let ${name} = ${this.#function(node.parameters, node.body)};`
      }
      default:
        throw this.#unknown(node.type)
    }
  }

  #function(parameters: readonly { type: string }[], body: Statement[]): string {
    this.#temps.push([])
    this.#scopes.push(new Map())
    const names = parameters.map((parameter) => {
      if (parameter.type !== 'Identifier') throw this.#unknown('a vararg')
      return this.#declare((parameter as Identifier).name)
    })
    const code = this.#block(body)
    this.#scopes.pop()
    return `function (${names.join(', ')}) { ${this.#declareTemps()}${code} }`
  }

  #assign(target: Expression, value: string): string {
    if (target.type === 'Identifier') {
      const name = this.#resolve(target.name)
      if (!name) throw this.#unknown(`an assignment to the global ${target.name}`)
      return `${name} = ${value};`
    }
    if (target.type === 'IndexExpression')
      return `lib.put(${this.#single(target.base)}, ${this.#single(target.index)}, ${value});`
    if (target.type === 'MemberExpression')
      return `lib.put(${this.#single(target.base)}, ${JSON.stringify(target.identifier.name)}, ${value});`
    throw this.#unknown(`an assignment to ${target.type}`)
  }

  /** As many values as names: one each, or, when a call stands last and gives several, an array of all. */
  #values(init: Expression[], names: number): string[] | string {
    const last = init.at(-1)
    if (last && isCall(last) && names > init.length)
      return init.length === 1 ? `lib.all(${this.#expression(last)})` : `[${this.#list(init)}]`
    return init.map((value) => this.#single(value))
  }

  /** Values of which the last, if it is a call, may be several. */
  #list(expressions: readonly Expression[]): string {
    return expressions
      .map((expression, i) =>
        i === expressions.length - 1 && isCall(expression)
          ? `...lib.all(${this.#expression(expression)})`
          : this.#single(expression),
      )
      .join(', ')
  }

  #test(condition: Expression): string {
    const code = this.#single(condition)
    if (isBoolean(condition)) return code
    const t = this.#temp()
    return `((${t} = ${code}) !== undefined && ${t} !== false)`
  }

  #single(node: Expression, one = true): string {
    const code = this.#expression(node)
    return one && isCall(node) ? `lib.first(${code})` : code
  }

  #expression(node: Expression): string {
    switch (node.type) {
      case 'StringLiteral':
        return JSON.stringify(node.value)
      case 'NumericLiteral':
        return String(node.value)
      case 'BooleanLiteral':
        return String(node.value)
      case 'NilLiteral':
        return 'undefined'
      case 'Identifier':
        return this.#identifier(node.name)
      case 'IndexExpression':
        return `lib.index(${this.#single(node.base)}, ${this.#single(node.index)})`
      case 'MemberExpression': {
        const { base, identifier } = node
        if (base.type === 'Identifier' && !this.#resolve(base.name)) {
          if (base.name === 'redis' && identifier.name in REDIS) return REDIS[identifier.name] as string
          const known = library.globals[base.name]
          if (!(known instanceof Map) || !known.has(identifier.name))
            throw this.#unknown(`${base.name}.${identifier.name}`)
          return `lib.globals.${base.name}.get(${JSON.stringify(identifier.name)})`
        }
        return `lib.index(${this.#single(base)}, ${JSON.stringify(identifier.name)})`
      }
      case 'CallExpression':
        return `lib.call(${[this.#single(node.base), this.#list(node.arguments)].filter(Boolean).join(', ')})`
      case 'TableConstructorExpression':
        return this.#table(node.fields)
      case 'UnaryExpression': {
        const code = this.#single(node.argument)
        if (node.operator === 'not') return `!${this.#test(node.argument)}`
        return node.operator === '#' ? `lib.length(${code})` : `-lib.num(${code})`
      }
      case 'LogicalExpression': {
        const t = this.#temp()
        const left = this.#single(node.left)
        const right = this.#single(node.right)
        const holds = `(${t} = ${left}) !== undefined && ${t} !== false`
        return node.operator === 'and' ? `((${holds}) ? ${right} : ${t})` : `((${holds}) ? ${t} : ${right})`
      }
      case 'BinaryExpression':
        return this.#binary(node.operator, this.#single(node.left), this.#single(node.right))
      case 'FunctionDeclaration':
        return this.#function(node.parameters, node.body)
      default:
        throw this.#unknown(node.type)
    }
  }

  #identifier(name: string): string {
    const local = this.#resolve(name)
    if (local) return local
    if (name === 'KEYS' || name === 'ARGV') return name
    if (typeof library.globals[name] === 'function') return `lib.globals.${name}`
    throw this.#unknown(`the global ${name}`)
  }

  #table(fields: readonly { type: string }[]): string {
    const listed: Expression[] = []
    const keyed: string[] = []
    for (const field of fields as readonly { type: string; key?: unknown; value: Expression }[]) {
      if (field.type === 'TableValue') listed.push(field.value)
      else if (field.type === 'TableKeyString')
        keyed.push(`[${JSON.stringify((field.key as Identifier).name)}, ${this.#single(field.value)}]`)
      else keyed.push(`[${this.#single(field.key as Expression)}, ${this.#single(field.value)}]`)
    }
    const table = `new lib.Table([${this.#list(listed)}])`
    if (keyed.length === 0) return table
    const t = this.#temp()
    return `(${t} = ${table}, [${keyed.join(', ')}].forEach(([k, v]) => lib.put(${t}, k, v)), ${t})`
  }

  #binary(operator: string, left: string, right: string): string {
    switch (operator) {
      case '==':
        return `(${left} === ${right})`
      case '~=':
        return `(${left} !== ${right})`
      case '<':
        return `lib.less(${left}, ${right})`
      case '>':
        return `lib.less(${right}, ${left})`
      case '<=':
        return `lib.lessOrEqual(${left}, ${right})`
      case '>=':
        return `lib.lessOrEqual(${right}, ${left})`
      case '..':
        return `(lib.text(${left}) + lib.text(${right}))`
      case '+':
      case '-':
      case '*':
      case '/':
        return `(lib.num(${left}) ${operator} lib.num(${right}))`
      default:
        throw this.#unknown(`the operator ${operator}`)
    }
  }

  #unknown(what: string): Error {
    return new Error(`a script uses ${what}, which is not simulated`)
  }
}

function isCall({ type }: Expression): boolean {
  return type === 'CallExpression' || type === 'StringCallExpression'
}

function isBoolean(node: Expression): boolean {
  if (node.type === 'UnaryExpression') return node.operator === 'not'
  return node.type === 'BinaryExpression' && /^(==|~=|<|>|<=|>=)$/.test(node.operator)
}
