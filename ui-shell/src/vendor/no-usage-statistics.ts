/** In place of Vaadin's module of that name, which reports its use to its maker in development. */
export function usageStatistics(): void {}
