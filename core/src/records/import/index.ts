import { ImportCompleted, ImportRolledBack } from './events.ts'
import { ImportRecipeSchema, importRecipes, recipeIsUsable } from './recipe.ts'

// What imports add to the core, as its own plugin value lists it.

export const importEntities = [ImportRecipeSchema]

export const importResources = [importRecipes]

export const importGuards = [recipeIsUsable]

export const importEvents = [ImportCompleted, ImportRolledBack]
