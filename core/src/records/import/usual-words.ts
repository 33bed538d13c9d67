import type { Locale } from '../../actor.ts'
import { isCountry } from '../../entities/phones.ts'
import { fold } from './resemblance.ts'

/**
 * Words that people use for one another as heads of columns, in English and French. The first of a line stands for it.
 * Only proposals are made from them.
 */
const synonyms: readonly (readonly string[])[] = [
  ['code', 'id', 'identifier', 'identifiant', 'ref', 'reference', 'no', 'number', 'numero', 'num', 'key', 'cle'],
  ['name', 'nom', 'title', 'titre', 'label', 'libelle', 'designation', 'intitule'],
  [
    'account',
    'company',
    'companies',
    'customer',
    'client',
    'organisation',
    'organization',
    'compte',
    'societe',
    'entreprise',
    'accounts',
  ],
  ['contact', 'person', 'personne', 'interlocuteur'],
  ['opportunity', 'deal', 'opportunite', 'affaire', 'opportunities'],
  ['product', 'article', 'item', 'produit', 'products'],
  [
    'owner',
    'user',
    'agent',
    'rep',
    'representative',
    'seller',
    'salesperson',
    'salesman',
    'commercial',
    'vendeur',
    'responsable',
    'proprietaire',
    'utilisateur',
    'assigned',
    'assignee',
  ],
  ['manager', 'supervisor', 'boss', 'superieur', 'chef'],
  ['team', 'office', 'agency', 'branch', 'equipe', 'agence', 'bureau'],
  ['amount', 'value', 'montant', 'valeur'],
  ['price', 'prix', 'tarif', 'rate'],
  ['revenue', 'turnover', 'ca'],
  ['industry', 'sector', 'secteur', 'activite', 'vertical', 'branche'],
  ['country', 'location', 'nation', 'pays', 'localisation'],
  ['city', 'town', 'ville', 'commune'],
  ['postal', 'zip', 'postcode', 'cp'],
  ['address', 'street', 'adresse', 'rue'],
  ['phone', 'telephone', 'tel'],
  ['mobile', 'cell', 'portable'],
  ['email', 'mail', 'courriel', 'e'],
  ['website', 'web', 'site', 'url'],
  ['founded', 'established', 'creation', 'fondation', 'incorporated'],
  ['year', 'annee'],
  ['employees', 'staff', 'headcount', 'effectif', 'employes', 'salaries'],
  ['parent', 'subsidiary', 'filiale', 'mere', 'holding', 'group', 'groupe'],
  ['family', 'series', 'range', 'category', 'famille', 'gamme', 'serie', 'categorie'],
  ['stage', 'step', 'etape', 'phase'],
  ['status', 'state', 'statut', 'etat'],
  ['opened', 'open', 'engage', 'start', 'started', 'begin', 'ouverte', 'ouverture', 'debut'],
  ['close', 'closed', 'closing', 'cloture', 'fermeture', 'fin'],
  ['date', 'on', 'day', 'at', 'le'],
  ['first', 'prenom', 'given'],
  ['last', 'surname', 'family name'],
  ['job', 'function', 'fonction', 'poste', 'role'],
  ['note', 'notes', 'comment', 'comments', 'description', 'remarque', 'commentaire'],
]

const standsFor = new Map(synonyms.flatMap(([first = '', ...others]) => [first, ...others].map((it) => [it, first])))
const fillers = new Set(['of', 'the', 'a', 'in', 'de', 'du', 'des', 'la', 'les', 'd', 'l', 'en', 'sales', 'our', 'by'])

/** Words of a head with those that mean the same replaced by one of them, without those that mean nothing. */
export function meaning(words: readonly string[]): Set<string> {
  // What a job is called is nobody's name.
  const isJob = words.includes('job')
  const said = words.filter((word) => !fillers.has(word) && !(isJob && word === 'title'))
  return new Set((said.length > 0 ? said : words).map((word) => standsFor.get(word) ?? word))
}

/** Values a field is known to have beside those of its records. */
export interface Vocabulary {
  /** Only these values are kept, so that its words are read as them; otherwise they only show what is misspelt. */
  readonly closed: boolean
  /** Kept value by its words, folded. */
  readonly values: ReadonlyMap<string, string>
  /** How the values read, to choose from. */
  readonly words: Readonly<Record<Locale, readonly string[]>>
}

const languages: readonly Locale[] = ['en', 'fr']

function codes(kind: 'region' | 'currency', all: readonly string[]): Vocabulary {
  const values = new Map<string, string>()
  const words: Record<Locale, string[]> = { en: [], fr: [] }
  for (const code of all) {
    values.set(fold(code), code)
    for (const language of languages) {
      const name = new Intl.DisplayNames(language, { type: kind, fallback: 'none' }).of(code)
      if (name === undefined) continue
      words[language].push(name)
      values.set(fold(name), code)
    }
  }
  return { closed: true, values, words }
}

const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
const pairs = letters.flatMap((first) => letters.map((second) => first + second))

const industries: Readonly<Record<Locale, readonly string[]>> = {
  en: [
    'aerospace',
    'agriculture',
    'automotive',
    'banking',
    'biotechnology',
    'chemicals',
    'construction',
    'consulting',
    'consumer goods',
    'defence',
    'distribution',
    'education',
    'electronics',
    'employment',
    'energy',
    'engineering',
    'entertainment',
    'fashion',
    'finance',
    'fishing',
    'food',
    'forestry',
    'government',
    'healthcare',
    'hospitality',
    'insurance',
    'legal',
    'logistics',
    'manufacturing',
    'marketing',
    'media',
    'medical',
    'mining',
    'non-profit',
    'pharmaceuticals',
    'printing',
    'public sector',
    'publishing',
    'real estate',
    'recruitment',
    'restaurants',
    'retail',
    'security',
    'services',
    'software',
    'sports',
    'technology',
    'telecommunications',
    'textiles',
    'tourism',
    'transport',
    'travel',
    'utilities',
    'wholesale',
  ],
  fr: [
    'aéronautique',
    'agriculture',
    'agroalimentaire',
    'assurance',
    'automobile',
    'banque',
    'bâtiment',
    'chimie',
    'commerce',
    'communication',
    'conseil',
    'construction',
    'distribution',
    'éducation',
    'électronique',
    'énergie',
    'environnement',
    'finance',
    'formation',
    'hôtellerie',
    'immobilier',
    'industrie',
    'informatique',
    'ingénierie',
    'logistique',
    'luxe',
    'médias',
    'métallurgie',
    'pharmacie',
    'restauration',
    'santé',
    'sécurité',
    'services',
    'sport',
    'technologie',
    'télécommunications',
    'textile',
    'tourisme',
    'transport',
  ],
}

let vocabularies: Readonly<Record<string, Vocabulary>> | undefined

/** What is known of the values of a field of this name, whatever its resource. */
export function vocabularyOf(field: string): Vocabulary | undefined {
  vocabularies ??= {
    country: codes('region', pairs.filter(isCountry)),
    currency: codes('currency', Intl.supportedValuesOf('currency')),
    industry: {
      closed: false,
      values: new Map([...industries.en, ...industries.fr].map((word) => [fold(word), word])),
      words: industries,
    },
  }
  return Object.hasOwn(vocabularies, field) ? vocabularies[field] : undefined
}
